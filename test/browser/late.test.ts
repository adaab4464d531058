import type { Page } from 'playwright-core'
import t from 'tap'
import { MiB, give, makeWorld, rowOf, setPreferences, state, until } from './world.ts'

const world = await makeWorld()

interface Held {
  /** Resolves when the server has processed the request and the page has no response. */
  held: () => Promise<boolean>
  release: () => void
}

/** Holds back the response to the first creation whose `Upload-Concat` header starts with `concat`. */
async function hold (page: Page, concat = ''): Promise<Held> {
  let asked = false
  let held = false
  let release = () => {}
  const released = new Promise<void>(resolve => { release = resolve })
  await page.route('**/files', async (route, request) => {
    const isIt = request.method() === 'POST' && (request.headers()['upload-concat'] ?? '').startsWith(concat)
    if (asked || !isIt) return route.fallback()
    asked = true
    const response = await route.fetch()
    held = true
    await released
    // The page may have stopped waiting for it.
    await route.fulfill({ response }).catch(() => {})
  })
  return { held: () => until(async () => held), release }
}

t.test('an upload that is cancelled during its creation is deleted', async t => {
  const page = await world.open(t)
  const { held, release } = await hold(page)
  const path = await world.file('unborn.bin', MiB)
  await give(page, path)
  await held()
  t.equal((await world.stored(path)).length, 1, 'the upload exists')
  await page.getByRole('button', { name: /^Cancel unborn.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  release()
  await until(async () => (await world.stored(path)).length === 0)
})

t.test('an upload that is paused during its creation resumes, and is the only one', async t => {
  const page = await world.open(t)
  const { held, release } = await hold(page)
  const path = await world.file('paused-early.bin', MiB)
  await give(page, path)
  await held()
  await page.getByRole('button', { name: 'Pause paused-early.bin' }).click()
  await state(page, path, 'paused')
  release()
  await page.getByRole('button', { name: 'Resume paused-early.bin' }).click()
  await state(page, path, 'done')
  await world.arrived(t, path)
  await until(async () => (await world.stored(path)).length === 1)
})

t.test('an upload that is paused and resumed before the response is stored once', async t => {
  const page = await world.open(t)
  const { held, release } = await hold(page)
  const path = await world.file('two-answers.bin', MiB)
  await give(page, path)
  await held()
  await page.getByRole('button', { name: 'Pause two-answers.bin' }).click()
  await page.getByRole('button', { name: 'Resume two-answers.bin' }).click()
  await state(page, path, 'done')
  await world.arrived(t, path)
  release()
  await until(async () => (await world.stored(path)).length === 1)
})

t.test('an upload that is cancelled during the creation of its final upload is deleted with its parts', async t => {
  const page = await world.open(t)
  await setPreferences(page, { lanes: 3, sliceSize: MiB })
  const before = (await world.everything()).length
  const { held, release } = await hold(page, 'final')
  const path = await world.file('joined.bin', 3 * MiB)
  await give(page, path)
  await held()
  t.equal((await world.stored(path)).length, 1, 'the upload exists')
  await page.getByRole('button', { name: /^Cancel joined.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  release()
  await until(async () => (await world.everything()).length === before)
})

t.test('an upload that a hanging server creates late is deleted', async t => {
  const page = await world.open(t)
  const path = await world.file('silent.bin', MiB)
  world.freeze(t)
  await give(page, path)
  // The page has sent a second request by then.
  await rowOf(page, path).getByText('No response. Reconnecting').waitFor()
  world.thaw()
  await state(page, path, 'done')
  await world.arrived(t, path)
  await until(async () => (await world.stored(path)).length === 1)
})
