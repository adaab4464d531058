import { appendFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { KiB, MiB, give, makeWorld, rowOf, setPreferences, someAccepted, state } from './world.ts'

const world = await makeWorld(2 * MiB)

/** A page in the middle of an upload of some seconds. */
async function inTheMiddle (t: Test, name: string): Promise<{ page: Page, path: string }> {
  const page = await world.open(t)
  await setPreferences(page, { sliceSize: 256 * KiB })
  const path = await world.file(name, 6 * MiB)
  await give(page, path)
  await someAccepted(page, path)
  return { page, path }
}

t.test('a server that is killed in the middle and comes back has the whole file in the end', async t => {
  const { page, path } = await inTheMiddle(t, 'killed.bin')
  await world.kill()
  await rowOf(page, path).getByText('The server cannot be reached').waitFor()
  const shown = await rowOf(page, path).locator('progress').getAttribute('value')
  t.ok(Number(shown) > 0 && Number(shown) < 1, 'the page shows what is safe')
  await world.start()
  await state(page, path, 'done')
  const stored = await world.arrived(t, path)
  t.same((await world.stored(path)).map(({ id }) => id), [stored.id], 'there is one upload of it')
})

t.test('a server that is away for twenty seconds is tried again and again', async t => {
  const { page, path } = await inTheMiddle(t, 'away.bin')
  await world.kill()
  await state(page, path, 'waiting')
  // The time is what is tested: the default of tus-js-client gives up after ten seconds.
  await wait(20_000)
  await world.start()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an error of the server on the question for the offset does not begin a new upload', async t => {
  const { page, path } = await inTheMiddle(t, 'bad-gateway.bin')
  let refused = 0
  await page.route('**/files/*', (route, request) => {
    if (request.method() !== 'HEAD' || refused >= 2) return route.fallback()
    refused++
    return route.fulfill({ status: 502 })
  })
  await page.getByRole('button', { name: 'Pause bad-gateway.bin' }).click()
  await page.getByRole('button', { name: 'Resume bad-gateway.bin' }).click()
  await rowOf(page, path).getByText('The server has a problem').waitFor()
  await state(page, path, 'done')
  t.equal(refused, 2)
  await world.arrived(t, path)
  t.equal((await world.stored(path)).length, 1)
})

t.test('a lost network is named, and the upload goes on when it is back', async t => {
  const { page, path } = await inTheMiddle(t, 'offline.bin')
  await page.context().setOffline(true)
  await rowOf(page, path).getByText('No network').waitFor()
  await page.context().setOffline(false)
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a server that hangs is noticed, and the upload goes on when it answers again', async t => {
  const { page, path } = await inTheMiddle(t, 'frozen.bin')
  world.signal('SIGSTOP')
  t.teardown(() => world.signal('SIGCONT'))
  await rowOf(page, path).getByText('The connection has gone silent').waitFor({ timeout: 40_000 })
  world.signal('SIGCONT')
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a file that changes on the disk in the middle is an error that says so', async t => {
  const { page, path } = await inTheMiddle(t, 'changed.bin')
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('was changed, moved or deleted').waitFor()
  t.equal(await page.getByRole('button', { name: 'Choose the file changed.bin again' }).count(), 1)
})

t.test('an upload that the server has deleted begins anew, and the page says so', async t => {
  const { page, path } = await inTheMiddle(t, 'deleted.bin')
  await page.getByRole('button', { name: 'Pause deleted.bin' }).click()
  const [old] = await world.stored(path)
  await fetch(`${world.url}files/${old?.id}`, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0' } })
  await page.getByRole('button', { name: 'Resume deleted.bin' }).click()
  await rowOf(page, path).getByText('Uploading from the start').waitFor()
  await state(page, path, 'done')
  await world.arrived(t, path)
})
