import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { basename } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { encodeMetadata } from '../../example-client/src/metadata.ts'
import { makeClip } from './clips.ts'
import {
  KiB, give, holds, listen, makeWorld, rowOf, setPreferences, someAccepted, state, watchErrors
} from './world.ts'

const world = await makeWorld()

/** A page during the upload of a clip, which is slower than the playback. */
async function uploadClip (t: Test, name: string, faststart: boolean): Promise<{ page: Page, path: string }> {
  world.slow(t, 150 * KiB)
  const page = await world.open(t)
  await setPreferences(page, { sliceSize: 64 * KiB })
  const path = await world.file(name, 0)
  await makeClip(path, 12, { faststart })
  await give(page, path)
  await someAccepted(page, path)
  return { page, path }
}

const time = (page: Page) => page.evaluate<number>('document.querySelector("#player video").currentTime')
const playsBeyond = (page: Page, seconds: number) =>
  holds(page, `document.querySelector('#player video').currentTime > ${seconds}`)

t.test('a video plays in the page during its upload, and recovers from a seek too far ahead', async t => {
  const { page, path } = await uploadClip(t, 'growing.mp4', true)
  await page.getByRole('button', { name: 'Watch growing.mp4' }).click()
  await playsBeyond(page, 0.5)
  t.ok(await rowOf(page, path).and(page.locator('[data-state="uploading"]')).count(), 'it is still being uploaded')
  await page.getByText(/% of .* uploaded/).waitFor()
  // So that the end is not stored yet, however slow the machine is.
  world.slow(t, 30 * KiB)
  const said = await listen(page, '#player .player-words')
  await page.evaluate('document.querySelector("#player video").currentTime = 11')
  await said('That part is not uploaded yet')
  const after = await time(page)
  t.ok(after < 11)
  await playsBeyond(page, after + 0.5)
  await page.getByText('That part is not uploaded yet').waitFor({ state: 'hidden' })
  world.hurry()
  await holds(page, 'document.querySelector("#player video").ended')
  await page.keyboard.press('Escape')
  t.equal(await page.locator('#player').isVisible(), false)
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an upload plays in another tab by its link, also through a restart of the server', async t => {
  const { page, path } = await uploadClip(t, 'elsewhere.mp4', true)
  const [stored] = await world.stored(path)
  const viewer = await (await world.browser.newContext()).newPage()
  t.teardown(() => viewer.context().close())
  watchErrors(t, viewer)
  await viewer.goto(`${world.url}watch.html?id=${stored?.id}`)
  await playsBeyond(viewer, 0.5)
  await world.kill(t)
  await world.start()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
  await holds(viewer, 'document.querySelector("#player video").ended')
  t.equal(await viewer.title(), 'elsewhere.mp4')
})

t.test('a video with its index at the end plays when it is complete, and the page says so', async t => {
  const { page, path } = await uploadClip(t, 'index-at-the-end.mp4', false)
  await rowOf(page, path).getByText('The index of this video is at its end').waitFor()
  await page.getByRole('button', { name: 'Watch index-at-the-end.mp4' }).click()
  world.hurry()
  await state(page, path, 'done')
  await playsBeyond(page, 0.5)
  await world.arrived(t, path)
})

t.test('a link to a missing upload causes a message', async t => {
  const page = await world.open(t)
  for (const id of ['nothing', '../healthz', '']) {
    await page.goto(`${world.url}watch.html?id=${encodeURIComponent(id)}`)
    await page.getByText('This upload does not exist').waitFor()
  }
  t.pass('for three ids')
})

t.test('an upload that is deleted during playback is reported as deleted', async t => {
  const { page, path } = await uploadClip(t, 'deleted.mp4', true)
  const [stored] = await world.stored(path)
  const viewer = await page.context().newPage()
  watchErrors(t, viewer)
  await viewer.goto(`${world.url}watch.html?id=${stored?.id}`)
  await playsBeyond(viewer, 0.5)
  await viewer.getByText(/% of .* uploaded/).waitFor()
  await page.getByRole('button', { name: /^Cancel deleted.mp4/ }).click()
  const gone = viewer.getByText('This upload does not exist or was deleted.')
  await gone.waitFor()
  t.ok(await viewer.locator('.there').isHidden())
  // The error of a player whose connection breaks.
  for (const late of ['waiting', 'playing', 'error']) {
    await viewer.locator('video').evaluate((video, late) => video.dispatchEvent(new Event(late)), late)
    t.ok(await gone.isVisible(), late)
  }
})

/** Uploads a file as a slow client does: `send` sends some bytes. */
async function makeWriter (path: string) {
  const bytes = await readFile(path)
  const protocol = { 'Tus-Resumable': '1.0.0' }
  const { headers } = await fetch(`${world.url}files`, {
    method: 'POST',
    headers: {
      ...protocol,
      'Upload-Length': String(bytes.length),
      'Upload-Metadata': encodeMetadata({
        filename: basename(path), filetype: 'video/mp4'
      })
    }
  })
  const url = new URL(headers.get('Location') ?? '', world.url)
  const patch = request(url, {
    method: 'PATCH',
    headers: {
      ...protocol,
      'Upload-Offset': 0,
      'Content-Length': bytes.length,
      'Content-Type': 'application/offset+octet-stream'
    }
  })
  const answered = once(patch, 'response') as Promise<[IncomingMessage]>
  return {
    id: url.pathname.split('/').at(-1) ?? '',
    size: bytes.length,
    send: (from: number, to: number) => { patch.write(bytes.subarray(from, to)) },
    status: () => answered.then(([{ statusCode }]) => statusCode)
  }
}

t.test('viewers do not interrupt the upload', async t => {
  const path = await world.file('watched.mp4', 0)
  await makeClip(path, 12, { faststart: true })
  const writer = await makeWriter(path)
  const viewers = await world.browser.newContext({ locale: 'en-US' })
  t.teardown(() => viewers.close())
  const tus: string[] = []
  const parts = 6
  for (let part = 0; part < parts; part++) {
    writer.send(part * writer.size / parts, (part + 1) * writer.size / parts)
    if (part === parts - 1) break
    const viewer = await viewers.newPage()
    watchErrors(t, viewer)
    viewer.on('request', request => {
      if (request.headers()['tus-resumable'] !== undefined) tus.push(request.method())
    })
    await viewer.goto(`${world.url}watch.html?id=${writer.id}`)
    await playsBeyond(viewer, 0)
    t.equal(await viewer.title(), 'watched.mp4')
    await viewer.close()
  }
  t.equal(await writer.status(), 204, 'one request wrote all of it')
  await world.arrived(t, path)
  t.same(tus, [], 'viewers send no tus requests')
})
