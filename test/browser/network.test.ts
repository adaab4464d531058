import { appendFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { remembered, sha256 } from './storage.ts'
import { makeWorld, rowOf, state, until } from './world.ts'

const world = await makeWorld()

t.test('the file is complete after the server was killed and restarted during the upload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'killed.bin')
  await world.kill(t)
  await rowOf(page, path).getByText('The server cannot be reached').waitFor()
  const shown = await rowOf(page, path).locator('progress').getAttribute('value')
  t.ok(Number(shown) > 0 && Number(shown) < 1, 'the page shows the accepted bytes')
  await world.start()
  world.hurry()
  await state(page, path, 'done')
  const stored = await world.arrived(t, path)
  t.same((await world.stored(path)).map(({ id }) => id), [stored.id], 'the file is stored once')
})

t.test('the page retries while the server is down for twenty seconds', async t => {
  const { page, path } = await world.inTheMiddle(t, 'away.bin')
  await world.kill(t)
  await state(page, path, 'waiting')
  // Longer than the default of tus-js-client, which gives up after ten seconds.
  await wait(20_000)
  await world.start()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an error response to HEAD does not start a new upload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'bad-gateway.bin')
  let refusing = true
  let refused = 0
  await page.route('**/files/*', (route, request) => {
    if (request.method() !== 'HEAD' || !refusing) return route.fallback()
    refused++
    return route.fulfill({ status: 502 })
  })
  await page.getByRole('button', { name: 'Pause bad-gateway.bin' }).click()
  await page.getByRole('button', { name: 'Resume bad-gateway.bin' }).click()
  await rowOf(page, path).getByText('The server reported an error').waitFor()
  await until(async () => refused >= 2)
  refusing = false
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
  t.equal((await world.stored(path)).length, 1)
})

t.test('the page reports a lost network, and the upload resumes when it is back', async t => {
  const { page, path } = await world.inTheMiddle(t, 'offline.bin')
  await page.context().setOffline(true)
  await rowOf(page, path).getByText('No network').waitFor()
  await page.context().setOffline(false)
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('the page reports a hanging server, and the upload resumes when it responds again', async t => {
  const { page, path } = await world.inTheMiddle(t, 'frozen.bin')
  world.freeze(t)
  await rowOf(page, path).getByText('No response. Reconnecting').waitFor({ timeout: 60_000 })
  world.thaw()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a file that changes on the disk during the upload causes an error', async t => {
  const { page, path } = await world.inTheMiddle(t, 'changed.bin', { preferences: { copyCap: 0 } })
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('was changed, moved or deleted').waitFor()
  t.equal(await page.getByRole('button', { name: 'Choose the file changed.bin again' }).count(), 1)
})

t.test('the upload of a file that changes on the disk continues with its copy', async t => {
  const { page, path } = await world.inTheMiddle(t, 'copied.bin', { profile: true })
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  const begun = await sha256(path)
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  const { path: there } = await until(async () => (await world.stored(path)).find(({ bytes, size }) => bytes === size))
  t.equal(await sha256(there), begun)
  t.equal((await world.stored(path)).length, 1)
})

t.test('an upload that the server has deleted starts over, and the page reports it', async t => {
  const { page, path } = await world.inTheMiddle(t, 'deleted.bin')
  await page.getByRole('button', { name: 'Pause deleted.bin' }).click()
  await state(page, path, 'paused')
  const [old] = await world.stored(path)
  const url = `${world.url}files/${old?.id}`
  const { status } = await fetch(url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } })
  t.equal(status, 204)
  await page.getByRole('button', { name: 'Resume deleted.bin' }).click()
  await rowOf(page, path).getByText('Uploading from the start').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('all parts of an upload that the server has deleted start over', async t => {
  const { page, path } = await world.inTheMiddle(t, 'parts.bin', { preferences: { lanes: 3 } })
  await page.getByRole('button', { name: 'Pause parts.bin' }).click()
  await state(page, path, 'paused')
  const parts = (await world.everything()).filter(({ filename, bytes, size }) =>
    filename === undefined && bytes !== size)
  t.equal(parts.length, 3)
  for (const { id } of parts) {
    await fetch(`${world.url}files/${id}`, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } })
  }
  await page.getByRole('button', { name: 'Resume parts.bin' }).click()
  await rowOf(page, path).getByText('Uploading from the start').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an upload that was cancelled while the server was down is deleted after a reload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'owed.bin')
  let lost = 0
  await page.route('**/files/*', (route, request) => {
    if (request.method() !== 'DELETE') return route.fallback()
    lost++
    return route.abort()
  })
  await page.getByRole('button', { name: /^Cancel owed.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  await until(async () => lost > 0)
  await remembered(page)
  t.equal((await world.stored(path)).length, 1, 'the upload still exists')
  await page.unroute('**/files/*')
  await page.reload()
  await until(async () => (await world.stored(path)).length === 0)
  t.equal(await page.locator('.row').count(), 0)
})

t.test('an upload that was cancelled while offline is deleted when the network is back', async t => {
  const { page, path } = await world.inTheMiddle(t, 'owed-offline.bin')
  await page.context().setOffline(true)
  await rowOf(page, path).getByText('No network').waitFor()
  await page.getByRole('button', { name: /^Cancel owed-offline.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  await page.context().setOffline(false)
  await until(async () => (await world.stored(path)).length === 0)
  t.pass('nothing is left')
})
