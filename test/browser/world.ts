import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../peers/free-port.ts'
import { run } from '../src/process.ts'
import type { Run } from '../src/process.ts'
import { launch } from './chromium.ts'
import { throttle } from './throttle.ts'
import type { Throttle } from './throttle.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

/** An upload on the disk of the server. */
export interface Stored {
  id: string
  path: string
  /** Bytes that are there. */
  bytes: number
  filename: string | undefined
  size: number | undefined
}

/** A server, a slow way to it, and a browser. */
export interface World {
  way: Throttle
  /** The page's address. */
  url: string
  browser: Browser
  start: () => Promise<void>
  signal: (signal: NodeJS.Signals) => void
  kill: () => Promise<void>
  /** A visitor of their own with the page open. */
  open: (t: Test, options?: BrowserContextOptions) => Promise<Page>
  /** Makes a file of random bytes. */
  file: (name: string, bytes: number) => Promise<string>
  /** The finished and unfinished uploads. */
  everything: () => Promise<Stored[]>
  /** Those that have the name of a file. */
  stored: (path: string) => Promise<Stored[]>
  /** Waits until the server has a file, and compares the bytes. */
  arrived: (t: Test, path: string) => Promise<Stored>
}

/** Makes a world for the tests of one file. */
export async function makeWorld (rate = 0): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const sources = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const port = await freePort()
  const way = await throttle(port, rate)
  // A camera that shows a clock, and nobody has to allow it.
  const browser = await launch(t, { args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] })
  let server: Run
  const start = async () => {
    server = run('src/cli.ts', [], { PORT: String(port), FILES_DIR: directory, LOG_LEVEL: 'info' })
    await server.line('ready for uploads')
  }
  const kill = async () => {
    server.child.kill('SIGKILL')
    await server.ended
  }
  await start()
  t.teardown(async () => {
    way.close()
    await kill()
    for (const path of [directory, sources]) await rm(path, { recursive: true, force: true })
  })

  const everything = async (): Promise<Stored[]> => {
    const found: Stored[] = []
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.json')) continue
      const id = name.slice(0, -5)
      // Deleted, or replaced, in this very moment.
      const record = await readFile(join(directory, name), 'utf8').then(JSON.parse, () => null)
      const bytes = await stat(join(directory, id)).then(stats => stats.size, () => 0)
      if (!record) continue
      found.push({ id, path: join(directory, id), bytes, filename: record.metadata?.filename, size: record.size })
    }
    return found
  }
  const stored = async (path: string) => (await everything()).filter(({ filename }) => filename === basename(path))

  return {
    way,
    url: `http://127.0.0.1:${way.port}/`,
    browser,
    start,
    kill,
    signal: signal => { server.child.kill(signal) },
    async open (t, options = {}) {
      const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1000, height: 900 }, ...options })
      t.teardown(() => context.close())
      const page = await context.newPage()
      watchErrors(t, page)
      await page.goto(`http://127.0.0.1:${way.port}/`)
      return page
    },
    async file (name, bytes) {
      const path = join(sources, name)
      await writeFile(path, randomBytes(bytes))
      return path
    },
    everything,
    stored,
    async arrived (t, path) {
      const found = await until(async () => (await stored(path)).find(({ bytes, size }) => bytes === size))
      t.equal(await sha256(found.path), await sha256(path), `${basename(path)}: the bytes on the server are those of the file`)
      return found
    }
  }
}

/** Fails the test when the page's own code throws, and lets the page be left without a question. */
export function watchErrors (t: Test, page: Page): void {
  page.on('pageerror', error => t.fail(`the page threw: ${error.stack ?? error.message}`))
  page.on('dialog', dialog => { dialog.accept().catch(() => {}) })
}

export async function give (page: Page, ...paths: string[]): Promise<void> {
  await page.locator('#files').setInputFiles(paths)
}

/** Drops files or folders on the page as a visitor does, so that the page gets their handles. */
export async function drop (page: Page, ...paths: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const data = { items: [], files: paths, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 200, data })
  }
}

/** The row of a file. */
export function rowOf (page: Page, path: string): Locator {
  return page.locator('.row').filter({ has: page.getByRole('heading', { name: basename(path), exact: true }) })
}

/** Waits until a row has a state. */
export async function state (page: Page, path: string, ...states: string[]): Promise<void> {
  const selector = states.map(state => `[data-state="${state}"]`).join(',')
  await rowOf(page, path).and(page.locator(selector)).waitFor()
}

/** Waits until the server has acknowledged something of a file, and the page shows it. */
export async function someAccepted (page: Page, path: string): Promise<void> {
  await rowOf(page, path).locator('.strip .accepted').first().waitFor()
}

export async function setPreferences (page: Page, preferences: Record<string, unknown>): Promise<void> {
  await page.evaluate(text => localStorage.setItem('fastify-tus:preferences', text), JSON.stringify(preferences))
  await page.reload()
}

/** Asks again and again until there is an answer. */
export async function until<T> (ask: () => Promise<T | undefined | false>, limit = 60_000): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error('did not happen in time')
    await wait(50)
  }
}

export async function sha256 (path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
