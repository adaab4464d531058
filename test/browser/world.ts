import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { freePort } from '../../src/demo/engines/free-port.ts'
import { run } from '../src/process.ts'
import type { Run } from '../src/process.ts'
import { launch, launchProfile } from './chromium.ts'
import { readUploads, sha256 } from './storage.ts'
import type { Stored } from './storage.ts'
import { throttle } from './throttle.ts'

export const KiB = 1024
export const MiB = 1024 * KiB

// Slow enough for a test to act before the end of an upload, however slow the machine is.
const SLOW = 64 * KiB

/** A running upload in the page of a visitor. */
export interface Middle {
  page: Page
  path: string
}

export interface OpenOptions extends BrowserContextOptions {
  /** Whether the browser stores copies on the disk, unlike a private window. */
  profile?: boolean
}

export interface MiddleOptions extends Pick<OpenOptions, 'profile'> {
  bytes?: number
  preferences?: Record<string, unknown>
  /** Whether to choose or to drop the file. */
  bring?: (page: Page, path: string) => Promise<void>
}

/** A server, a proxy that can be slow, and a browser. */
export interface World {
  /** Limits the proxy to a rate in bytes per second, until `hurry` or the end of the test. */
  slow: (t: Test, rate?: number) => void
  /** Removes the limit of the proxy. */
  hurry: () => void
  /** The address of the page. */
  url: string
  browser: Browser
  /** Kills the server. The next test starts with a running one. */
  kill: (t: Test) => Promise<void>
  start: () => Promise<void>
  /** Makes the server hang, until `thaw` or the end of the test. */
  freeze: (t: Test) => void
  thaw: () => void
  /** A page in a new browser context. */
  open: (t: Test, options?: OpenOptions) => Promise<Page>
  /** Creates a file of random bytes. */
  file: (name: string, bytes: number) => Promise<string>
  /** A page during the upload of a new file over a slow proxy. The upload does not end before `hurry`. */
  inTheMiddle: (t: Test, name: string, options?: MiddleOptions) => Promise<Middle>
  /** The finished and unfinished uploads. */
  everything: () => Promise<Stored[]>
  /** Deletes an upload as the server deletes an expired one. */
  remove: (id: string) => Promise<void>
  /** The uploads with the name of a file. */
  stored: (path: string) => Promise<Stored[]>
  /** Waits until the server has a complete file, and compares the bytes. */
  arrived: (t: Test, path: string) => Promise<Stored>
  /** Like `arrived`, and there is no other upload of that name. */
  arrivedOnce: (t: Test, path: string) => Promise<void>
}

/** Creates a world for the tests of one test file. */
export async function makeWorld (): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const sources = await mkdtemp(join(tmpdir(), 'fastify-tus-'))
  const port = await freePort()
  const way = await throttle(port)
  // A fake camera that shows a clock and needs no permission.
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
    t.equal(await sha256(found.path), await sha256(path), `${basename(path)}: the server has the bytes of the file`)
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

/** Fails the test if the code of the page throws, and accepts dialogs when a page is left. */
export function watchErrors (t: Test, page: Page): void {
  page.on('pageerror', error => t.fail(`the page threw: ${error.stack ?? error.message}`))
  page.on('dialog', dialog => { dialog.accept().catch(() => {}) })
}

export async function give (page: Page, ...paths: string[]): Promise<void> {
  await page.locator('#files').setInputFiles(paths)
}

/** Drops files or folders on the page like a visitor, so that the page gets their handles. */
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

/** Waits until the server has acknowledged some bytes of a file and the page shows them. */
export async function someAccepted (page: Page, path: string): Promise<void> {
  await rowOf(page, path).locator('.strip .accepted').first().waitFor()
}

export async function setPreferences (page: Page, preferences: Record<string, unknown>): Promise<void> {
  await page.evaluate(text => localStorage.setItem('fastify-tus:preferences', text), JSON.stringify(preferences))
  await page.reload()
  await ready(page)
}

/** Waits until the page is ready. It requests its endpoint first, and the `load` event does not wait for that. */
export async function ready (page: Page): Promise<void> {
  await page.locator('#endpoint:not(:empty)').waitFor()
}

/** Records all later texts of an element, because short-lived texts may disappear before a test sees them. */
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

/** Waits until an expression is true in a page. The CSP of the page forbids `waitForFunction`, which uses eval. */
export async function holds (page: Page, expression: string): Promise<void> {
  await until(() => page.evaluate<boolean>(`Boolean(${expression})`))
}

/** Polls until there is a result. */
export async function until<T> (ask: () => Promise<T | undefined | false>, limit = 60_000): Promise<T> {
  const end = Date.now() + limit
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (Date.now() > end) throw new Error('did not happen in time')
    await wait(50)
  }
}

/** Puts a file into a separate input, `#own`, for a script that passes it to the page. */
export async function ownInput (page: Page, path: string): Promise<void> {
  await page.evaluate(`{
    const input = Object.assign(document.createElement('input'), { type: 'file', id: 'own' })
    document.body.append(input)
  }`)
  await page.locator('#own').setInputFiles(path)
}
