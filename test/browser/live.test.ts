import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { remembered } from './storage.ts'
import type { Stored } from './storage.ts'
import { holds, listen, makeWorld, until, watchErrors } from './world.ts'

const world = await makeWorld()

async function record (page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Record camera' }).click()
  const link = page.locator('#live-link a')
  await link.waitFor()
  return await link.getAttribute('href') ?? ''
}

async function view (t: Test, url: string): Promise<Page> {
  const viewer = await (await world.browser.newContext({ locale: 'en-US' })).newPage()
  t.teardown(() => viewer.context().close())
  watchErrors(t, viewer)
  await viewer.goto(url)
  return viewer
}

const playsBeyond = (page: Page, seconds: number) =>
  holds(page, `document.querySelector('#player video').currentTime > ${seconds}`)

/** The recording of a page. */
async function recordingAt (url: string): Promise<Stored | undefined> {
  const id = new URL(url).searchParams.get('id')
  return (await world.everything()).find(stored => stored.id === id)
}

t.test('a recording is watched live through a restart of the server, and is complete at the end', async t => {
  const page = await world.open(t)
  const url = await record(page)
  const viewer = await view(t, url)
  await viewer.getByText('Live', { exact: true }).waitFor()
  await playsBeyond(viewer, 1)

  await world.kill(t)
  await viewer.getByText('The server does not respond').waitFor()
  await page.getByText('The server cannot be reached; the rest follows').waitFor()
  await world.start()
  await viewer.getByText('Live', { exact: true }).waitFor()
  const at = await viewer.evaluate<number>('document.querySelector("#player video").currentTime')
  await playsBeyond(viewer, at + 1)

  await page.getByRole('button', { name: 'Stop recording' }).click()
  await page.locator('#live-words').getByText('the complete recording is on the server').waitFor()
  await viewer.getByText('The recording has ended').waitFor()
  const stored = await recordingAt(url)
  t.ok(stored && stored.bytes === stored.size && stored.bytes > 0, 'its length is declared, and all bytes are stored')
  await viewer.reload()
  await playsBeyond(viewer, 0.5)
})

t.test('the button shows for a while that the link is copied', async t => {
  const page = await world.open(t, { permissions: ['clipboard-write', 'clipboard-read'] })
  const url = await record(page)
  await page.clock.install()
  await page.getByRole('button', { name: 'Copy link' }).click()
  const copied = page.getByRole('button', { name: 'Copied', exact: true })
  await copied.waitFor()
  t.equal(await page.evaluate('navigator.clipboard.readText()'), url)
  await page.clock.runFor(2000)
  await copied.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Copy link' }).waitFor()
  await page.getByRole('button', { name: 'Stop recording' }).click()
})

t.test('two clicks start one recording', async t => {
  const page = await world.open(t)
  const before = (await world.everything()).length
  await page.getByRole('button', { name: 'Record camera' }).evaluate((button: HTMLElement) => {
    button.click()
    button.click()
  })
  await page.locator('#live-link a').waitFor()
  await page.getByRole('button', { name: 'Stop recording' }).click()
  await page.locator('#live-words').getByText('Finished').waitFor()
  t.equal((await world.everything()).length, before + 1)
})

t.test('a viewer distinguishes a hanging server from an absent recorder, and continues after both', async t => {
  const page = await world.open(t)
  const url = await record(page)
  const viewer = await view(t, url)
  const live = viewer.getByText('Live', { exact: true })
  await live.waitFor()
  await playsBeyond(viewer, 1)

  world.freeze(t)
  await viewer.getByText('The server does not respond').waitFor()
  world.thaw()
  await live.waitFor()

  await listen(viewer, '#state')
  await page.context().setOffline(true)
  await viewer.getByText('Waiting for more').waitFor()
  await until(async () => {
    // It reconnects repeatedly, and each time the server responds.
    const tails = await viewer.evaluate<number>(`performance.getEntriesByType('resource')
      .filter(({ name }) => name.includes('from=')).length`)
    return tails > 3
  })
  t.notMatch(await viewer.evaluate<string>('said.join()'), 'does not respond', 'the server was always reachable')
  await page.context().setOffline(false)
  await live.waitFor()
  await page.getByRole('button', { name: 'Stop recording' }).click()
  await viewer.getByText('The recording has ended').waitFor()
  const stored = await recordingAt(url)
  t.equal(stored?.bytes, stored?.size)
})

t.test('the page offers to finish a recording whose tab was closed, and the recording stays', async t => {
  const page = await world.open(t)
  const url = await record(page)
  await until(async () => ((await recordingAt(url))?.bytes ?? 0) > 0)
  await remembered(page)
  await page.close()
  const next = await page.context().newPage()
  watchErrors(t, next)
  await next.goto(world.url)
  await next.getByText('The tab that recorded').waitFor()
  await next.getByRole('button', { name: 'Finish the recording' }).click()
  await until(async () => (await recordingAt(url))?.size !== undefined)
  const stored = await recordingAt(url)
  t.equal(stored?.bytes, stored?.size)
  // The page deletes its record after the response.
  await next.getByText('The tab that recorded').waitFor({ state: 'detached' })
  await next.reload()
  t.equal(await next.getByText('The tab that recorded').count(), 0)
})

t.test('a recording that is stopped while the server is down is complete at the end', async t => {
  const page = await world.open(t)
  const url = await record(page)
  await until(async () => ((await recordingAt(url))?.bytes ?? 0) > 0)
  await world.kill(t)
  await page.getByText('The server cannot be reached; the rest follows').waitFor()
  const stop = page.getByRole('button', { name: 'Stop recording' })
  await stop.click()
  await page.getByRole('heading', { name: 'Recorded', exact: true }).waitFor()
  await page.locator('#live-words').getByText(/are on the server. The server cannot be reached/).waitFor()
  t.ok(await stop.isHidden())
  await world.start()
  await page.locator('#live-words').getByText('the complete recording is on the server').waitFor()
  const stored = await recordingAt(url)
  t.equal(stored?.bytes, stored?.size)
})

t.test('a refused recording cannot be watched', async t => {
  const page = await world.open(t)
  await record(page)
  await page.route('**/files/*', (route, request) =>
    request.method() === 'PATCH' ? route.fulfill({ status: 403 }) : route.fallback())
  await page.locator('#live-words').getByText('The server refused the recording.').waitFor()
  t.ok(await page.locator('#live-link').isHidden())
  t.ok(await page.getByRole('button', { name: 'Copy link' }).isHidden())
})
