import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions, Page } from 'playwright-core'
import type { Test } from 'tap'

/** The path in Debian and Ubuntu. */
const DEFAULT_PATH = '/usr/bin/chromium'

/**
 * The Chromium of this machine: `CHROMIUM_PATH`, or the path in Debian. playwright-core contains no browser, and the
 * browser that it can download lacks the codecs of the videos.
 * @throws Error that names the package to install
 */
export function chromiumPath (): string {
  const path = process.env.CHROMIUM_PATH || DEFAULT_PATH
  try {
    accessSync(path, constants.X_OK)
  } catch (cause) {
    const how = 'install it (Debian: apt-get install chromium), or set CHROMIUM_PATH to the program'
    throw new Error(`There is no Chromium at ${path}: ${how}`, { cause })
  }
  return path
}

// Sound is muted, and videos play without a click.
const args = ['--no-sandbox', '--mute-audio', '--autoplay-policy=no-user-gesture-required']

/** Starts Chromium and closes it after the test. */
export async function launch (t: Test, options: LaunchOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    ...options,
    args: [...args, ...options.args ?? []]
  })
  t.teardown(() => browser.close())
  return browser
}

/**
 * A Chromium with a profile on the disk, for one test. Other contexts are private windows, in which a file in IndexedDB
 * is only a reference, not a copy.
 */
export async function launchProfile (t: Test, options: BrowserContextOptions): Promise<BrowserContext> {
  const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const context = await chromium.launchPersistentContext(directory, {
    executablePath: chromiumPath(),
    args,
    ...options
  })
  t.teardown(async () => {
    await context.close()
    await rm(directory, { recursive: true, force: true })
  })
  return context
}

/** A new page, whose errors are comments in the report of the test. */
export async function openPage (t: Test, browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  page.on('pageerror', (error) => t.comment(`page: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') t.comment(`console: ${message.text()}`)
  })
  await page.goto(url)
  return page
}
