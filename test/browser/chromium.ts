import { accessSync, constants } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser, LaunchOptions, Page } from 'playwright-core'
import type { Test } from 'tap'

/** Where Debian and Ubuntu put it. */
const DEFAULT_PATH = '/usr/bin/chromium'

/**
 * The Chromium of this machine: `CHROMIUM_PATH`, or where Debian puts it. playwright-core brings no browser, and one
 * that it could download would lack the codecs that videos need.
 * @throws Error that says what to install
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

/** Starts Chromium, and ends it after the test. Sound is muted, and videos play without a click. */
export async function launch (t: Test, options: LaunchOptions = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: chromiumPath(),
    ...options,
    args: ['--no-sandbox', '--mute-audio', '--autoplay-policy=no-user-gesture-required', ...options.args ?? []]
  })
  t.teardown(() => browser.close())
  return browser
}

/** A new page, whose errors are notes in the report of the test. */
export async function openPage (t: Test, browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  page.on('pageerror', (error) => t.comment(`page: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() === 'error') t.comment(`console: ${message.text()}`)
  })
  await page.goto(url)
  return page
}
