import { appendFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { remembered, sha256 } from './storage.ts'
import { makeWorld, rowOf, state, until } from './world.ts'

const world = await makeWorld()

t.test('a server that is killed in the middle and comes back has the whole file in the end', async t => {
  const { page, path } = await world.inTheMiddle(t, 'killed.bin')
  await world.kill(t)
  await rowOf(page, path).getByText('The server cannot be reached').waitFor()
  const shown = await rowOf(page, path).locator('progress').getAttribute('value')
  t.ok(Number(shown) > 0 && Number(shown) < 1, 'the page shows what is safe')
  await world.start()
  world.hurry()
  await state(page, path, 'done')
  const stored = await world.arrived(t, path)
  t.same((await world.stored(path)).map(({ id }) => id), [stored.id], 'there is one upload of it')
})

t.test('a server that is away for twenty seconds is tried again and again', async t => {
  const { page, path } = await world.inTheMiddle(t, 'away.bin')
  await world.kill(t)
  await state(page, path, 'waiting')
  // The time is what is tested: the default of tus-js-client gives up after ten seconds.
  await wait(20_000)
  await world.start()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an error of the server on the question for the offset does not begin a new upload', async t => {
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

t.test('a lost network is named, and the upload goes on when it is back', async t => {
  const { page, path } = await world.inTheMiddle(t, 'offline.bin')
  await page.context().setOffline(true)
  await rowOf(page, path).getByText('No network').waitFor()
  await page.context().setOffline(false)
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a server that hangs is noticed, and the upload goes on when it answers again', async t => {
  const { page, path } = await world.inTheMiddle(t, 'frozen.bin')
  world.freeze(t)
  await rowOf(page, path).getByText('No response. Reconnecting').waitFor({ timeout: 60_000 })
  world.thaw()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a file that changes on the disk in the middle is an error that says so', async t => {
  const { page, path } = await world.inTheMiddle(t, 'changed.bin', { preferences: { copyCap: 0 } })
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('was changed, moved or deleted').waitFor()
  t.equal(await page.getByRole('button', { name: 'Choose the file changed.bin again' }).count(), 1)
})

t.test('of a file that changes on the disk, what was begun goes on from its copy', async t => {
  const { page, path } = await world.inTheMiddle(t, 'copied.bin', { profile: true })
  await rowOf(page, path).getByText('the upload resumes by itself').waitFor()
  const begun = await sha256(path)
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  const { path: there } = await until(async () => (await world.stored(path)).find(({ bytes, size }) => bytes === size))
  t.equal(await sha256(there), begun)
  t.equal((await world.stored(path)).length, 1)
})

t.test('an upload that the server has deleted begins anew, and the page says so', async t => {
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

t.test('all parts of an upload that the server has deleted begin anew', async t => {
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

t.test('what was cancelled while the server could not be told is deleted after a reload', async t => {
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
  t.equal((await world.stored(path)).length, 1, 'the server has it still')
  await page.unroute('**/files/*')
  await page.reload()
  await until(async () => (await world.stored(path)).length === 0)
  t.equal(await page.locator('.row').count(), 0)
})

t.test('what was cancelled while the server could not be told is deleted once the network is back', async t => {
  const { page, path } = await world.inTheMiddle(t, 'owed-offline.bin')
  await page.context().setOffline(true)
  await rowOf(page, path).getByText('No network').waitFor()
  await page.getByRole('button', { name: /^Cancel owed-offline.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  await page.context().setOffline(false)
  await until(async () => (await world.stored(path)).length === 0)
  t.pass('nothing is left')
})
