import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../peers/free-port.ts'
import { run } from '../src/process.ts'
import type { Run } from '../src/process.ts'
import { launch, launchProfile } from './chromium.ts'
import { readUploads, sha256 } from './storage.ts'
import type { Stored } from './storage.ts'
import { throttle } from './throttle.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

// Slow enough for a test to see what lasts until the end of an upload, however slow the machine is.
const SLOW = 64 * KiB

/** An upload that is under way, as a visitor has it. */
export interface Middle {
  page: Page
  path: string
}

export interface OpenOptions extends BrowserContextOptions {
  /** Whether the browser keeps copies on the disk, as it does but in private windows. */
  profile?: boolean
}

export interface MiddleOptions extends Pick<OpenOptions, 'profile'> {
  bytes?: number
  preferences?: Record<string, unknown>
  /** Choose the file, or drop it. */
  bring?: (page: Page, path: string) => Promise<void>
}

/** A server, a way to it that can be slow, and a browser. */
export interface World {
  /** Makes the way so slow, in bytes a second, until `hurry` or the end of the test. */
  slow: (t: Test, rate?: number) => void
  /** Makes the way as fast as the machine is. */
  hurry: () => void
  /** The page's address. */
  url: string
  browser: Browser
  /** Kills the server; the next test has one again in any case. */
  kill: (t: Test) => Promise<void>
  start: () => Promise<void>
  /** Makes the server hang, until `thaw` or the end of the test. */
  freeze: (t: Test) => void
  thaw: () => void
  /** A visitor of their own with the page open. */
  open: (t: Test, options?: OpenOptions) => Promise<Page>
  /** Makes a file of random bytes. */
  file: (name: string, bytes: number) => Promise<string>
  /** A page in the middle of the upload of a new file, on a slow way: nothing ends before the test hurries. */
  inTheMiddle: (t: Test, name: string, options?: MiddleOptions) => Promise<Middle>
  /** The finished and unfinished uploads. */
  everything: () => Promise<Stored[]>
  /** Deletes an upload, as the server does with an abandoned one. */
  remove: (id: string) => Promise<void>
  /** Those that have the name of a file. */
  stored: (path: string) => Promise<Stored[]>
  /** Waits until the server has a file, and compares the bytes. */
  arrived: (t: Test, path: string) => Promise<Stored>
  /** Like `arrived`, and there is no other upload of that name. */
  arrivedOnce: (t: Test, path: string) => Promise<void>
}

/** Makes a world for the tests of one file. */
export async function makeWorld (): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const sources = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const port = await freePort()
  const way = await throttle(port)
  // A camera that shows a clock and needs no permission.
  const browser = await launch(t, { args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] })
  let server: Run
  let running = false
  const start = async () => {
    if (running) return
    running = true
    server = run('src/cli.ts', [], {
      PORT: String(port), FILES_DIR: directory, LOG_LEVEL: 'info', ALLOWED_HOSTS: 'another-machine.test'
    })
    await server.line('ready for uploads')
  }
  const stop = async () => {
    running = false
    server.child.kill('SIGKILL')
    await server.ended
  }
  await start()
  t.teardown(async () => {
    way.close()
    await stop()
    for (const path of [directory, sources]) await rm(path, { recursive: true, force: true })
  })

  const everything = () => readUploads(directory)
  const stored = async (path: string) => (await everything()).filter(({ filename }) => filename === basename(path))

  const arrived = async (t: Test, path: string) => {
    const found = await until(async () => (await stored(path)).find(({ bytes, size }) => bytes === size))
    t.equal(await sha256(found.path), await sha256(path), `${basename(path)}: the bytes on the server are those of the file`)
    return found
  }

  const open = async (t: Test, { profile = false, ...options }: OpenOptions = {}): Promise<Page> => {
    const settings = { locale: 'en-US', viewport: { width: 1000, height: 900 }, ...options }
    const context = profile ? await launchProfile(t, settings) : await browser.newContext(settings)
    t.teardown(() => context.close())
    const page = await context.newPage()
    watchErrors(t, page)
    await page.goto(`http://127.0.0.1:${way.port}/`)
    await ready(page)
    return page
  }
  const file = async (name: string, bytes: number): Promise<string> => {
    const path = join(sources, name)
    await writeFile(path, randomBytes(bytes))
    return path
  }
  const slow = (t: Test, rate = SLOW): void => {
    way.rate = rate
    t.teardown(() => { way.rate = 0 })
  }

  return {
    slow,
    hurry: () => { way.rate = 0 },
    url: `http://127.0.0.1:${way.port}/`,
    browser,
    async kill (t) {
      t.teardown(start)
      await stop()
    },
    start,
    freeze (t) {
      t.teardown(() => { server.child.kill('SIGCONT') })
      server.child.kill('SIGSTOP')
    },
    thaw: () => { server.child.kill('SIGCONT') },
    open,
    file,
    async inTheMiddle (t, name, { bytes = 6 * MiB, preferences = {}, bring = give, ...options } = {}) {
      slow(t)
      const page = await open(t, options)
      await setPreferences(page, { sliceSize: SLOW, ...preferences })
      const path = await file(name, bytes)
      await bring(page, path)
      await someAccepted(page, path)
      return { page, path }
    },
    everything,
    async remove (id) {
      await fetch(`http://127.0.0.1:${port}/files/${id}`, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } })
    },
    stored,
    arrived,
    async arrivedOnce (t, path) {
      await arrived(t, path)
      t.equal((await stored(path)).length, 1, 'it is the same upload')
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
  await ready(page)
}

/** Waits until the page listens: it asks the server for its endpoint first, and `load` does not wait for that. */
export async function ready (page: Page): Promise<void> {
  await page.locator('#endpoint:not(:empty)').waitFor()
}

/** Remembers all that an element says from now on: words that go by themselves may do so unseen. */
export async function listen (page: Page, selector: string): Promise<(words: string) => Promise<void>> {
  await page.locator(selector).evaluate(node => {
    const said: (string | null)[] = []
    Object.assign(window, { said })
    new MutationObserver(() => said.push(node.textContent)).observe(node, { childList: true, subtree: true })
  })
  return async words => {
    await holds(page, `said.some(said => said.includes(${JSON.stringify(words)}))`)
  }
}

/** Waits until an expression is true in a page. The policy of the page forbids `waitForFunction`, which uses eval. */
export async function holds (page: Page, expression: string): Promise<void> {
  await until(() => page.evaluate<boolean>(`Boolean(${expression})`))
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

/** Puts a file into an input that is not the page's, `#own`: for a script that gives it to the page in its own way. */
export async function ownInput (page: Page, path: string): Promise<void> {
  await page.evaluate(`{
    const input = Object.assign(document.createElement('input'), { type: 'file', id: 'own' })
    document.body.append(input)
  }`)
  await page.locator('#own').setInputFiles(path)
}
