import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { makeClip } from './clips.ts'
import { launch } from './chromium.ts'
import { KiB, give, holds, makeWorld, setPreferences, someAccepted, state, watchErrors } from './world.ts'

const world = await makeWorld()
// Like browsers outside of tests: nothing plays with sound before a click.
const browser = await launch(t, { args: ['--autoplay-policy=document-user-activation-required'] })

async function view (t: Test, url: string, script = ''): Promise<Page> {
  const page = await browser.newPage({ locale: 'en-US' })
  t.teardown(() => page.close())
  watchErrors(t, page)
  await page.addInitScript(script)
  // Everything that Playwright evaluates in a page counts as a click, so it waits until the page has tried to play.
  const tried = page.waitForRequest(request => request.resourceType() === 'media' || request.url().includes('?from='))
  await page.goto(url)
  await tried
  return page
}

const plays = (page: Page) =>
  holds(page, 'document.querySelector("video").currentTime > 0.5')
const isMuted = (page: Page) => page.evaluate<boolean>('document.querySelector("video").muted')

/** A browser that never plays automatically, not even muted. */
const refuseAll = `{
  const { play } = HTMLMediaElement.prototype
  let clicked = false
  addEventListener('click', () => { clicked = true }, { capture: true })
  HTMLMediaElement.prototype.play = function () {
    return clicked ? play.call(this) : Promise.reject(new DOMException('', 'NotAllowedError'))
  }
}`

async function upload (t: Test, name: string, rate?: number): Promise<string> {
  const page = await world.open(t)
  if (rate) {
    world.slow(t, rate)
    await setPreferences(page, { sliceSize: 64 * KiB })
  }
  const path = await world.file(name, 0)
  await makeClip(path, 12)
  await give(page, path)
  if (rate) await someAccepted(page, path)
  else await state(page, path, 'done')
  const [stored] = await world.stored(path)
  return `${world.url}watch.html?id=${stored?.id}`
}

t.test('a video plays muted without a click, and a button turns the sound on', async t => {
  const page = await view(t, await upload(t, 'whole.mp4'))
  await plays(page)
  t.ok(await isMuted(page))
  t.equal(await page.locator('.player-words').textContent(), '')
  const button = page.getByRole('button', { name: 'Turn on the sound' })
  await button.click()
  await button.waitFor({ state: 'hidden' })
  t.notOk(await isMuted(page))
  await holds(page, '!document.querySelector("video").paused')
})

t.test('a browser that needs a click shows "Press play", also during the upload', async t => {
  for (const rate of [undefined, 150 * KiB]) {
    const page = await view(t, await upload(t, `refused-${rate}.mp4`, rate), refuseAll)
    const words = page.locator('.player-words')
    await words.getByText('Press play to begin.').waitFor()
    t.notOk(await isMuted(page), 'it has sound afterwards')
    await page.locator('video').click()
    await plays(page)
    t.equal(await words.textContent(), '')
  }
})

t.test('a running recording plays muted without a click', async t => {
  const recorder = await world.open(t)
  await recorder.getByRole('button', { name: 'Record camera' }).click()
  const link = recorder.locator('#live-link a')
  await link.waitFor()
  const url = await link.getAttribute('href') ?? ''
  const page = await view(t, url)
  await page.getByText('Live', { exact: true }).waitFor()
  await plays(page)
  await page.getByRole('button', { name: 'Turn on the sound' }).waitFor()

  const still = await view(t, url, refuseAll)
  await still.getByText('Press play to watch live.').waitFor()
  await still.locator('video').click()
  await still.getByText('Live', { exact: true }).waitFor()
  await plays(still)
})
