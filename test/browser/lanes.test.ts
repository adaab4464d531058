import type { Page } from 'playwright-core'
import t from 'tap'
import { KiB, MiB, give, holds, makeWorld, ready, rowOf, setPreferences, state, until } from './world.ts'

const world = await makeWorld()
const preferences = { lanes: 3, sliceSize: 256 * KiB }

async function online (page: Page, value: boolean): Promise<void> {
  await page.evaluate(value => {
    Object.defineProperty(navigator, 'onLine', { value, configurable: true })
    if (value) window.dispatchEvent(new Event('online'))
  }, value)
}

/** Disconnects one of the three lanes. */
async function cutOne (page: Page): Promise<void> {
  const moving = (count: number) =>
    holds(page, `document.querySelectorAll('.strip .sending').length === ${count}`)
  await moving(3)
  await online(page, false)
  let cut = false
  await page.route('**/files/*', (route, request) => {
    if (cut || request.method() !== 'PATCH') return route.fallback()
    cut = true
    return route.abort('internetdisconnected')
  })
  await moving(2)
}

t.test('a part without a network resumes when the network is back, while the others continue', async t => {
  const { page, path } = await world.inTheMiddle(t, 'one-offline.bin', { preferences })
  await cutOne(page)
  t.equal(await rowOf(page, path).getAttribute('data-state'), 'uploading')
  await online(page, true)
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('an upload waits for a part without a network after the others are complete', async t => {
  const { page, path } = await world.inTheMiddle(t, 'last-offline.bin', { preferences })
  await cutOne(page)
  world.hurry()
  await rowOf(page, path).getByText('No network').waitFor()
  t.notMatch(await rowOf(page, path).locator('.figures').textContent(), '/s', 'no speed is shown')
  await online(page, true)
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a file is stored once after a failed request to join', async t => {
  const page = await world.open(t)
  await setPreferences(page, preferences)
  const before = (await world.everything()).length
  let lost = 0
  await page.route('**/files', async (route, request) => {
    if (lost > 0 || !request.headers()['upload-concat']?.startsWith('final')) return route.fallback()
    lost++
    await route.fetch()
    await route.abort()
  })
  const path = await world.file('answer-lost.bin', 3 * MiB)
  await give(page, path)
  await state(page, path, 'done')
  t.equal(lost, 1)
  await world.arrived(t, path)
  // Its parts, and a final upload that the page does not know. The server deletes it when it expires.
  await until(async () => (await world.everything()).length <= before + 2)
  t.equal((await world.stored(path)).filter(({ bytes }) => bytes > 0).length, 1)
})

t.test('a file is stored once if the page is reloaded while the server joins it', async t => {
  const page = await world.open(t, { profile: true })
  await setPreferences(page, preferences)
  const before = (await world.everything()).length
  let sent = false
  let lost = false
  const finals = new Set<string>()
  await page.route(/\/files/, async (route, request) => {
    const isFinal = request.headers()['upload-concat']?.startsWith('final') || finals.has(request.url())
    sent ||= request.method() === 'PATCH'
    if (!isFinal) return route.fallback()
    const response = await route.fetch()
    const location = response.headers().location
    if (location) finals.add(new URL(location, request.url()).href)
    if (!sent) return route.fulfill({ response })
    lost = true
    await route.abort()
  })
  const path = await world.file('reloaded.bin', 3 * MiB)
  await give(page, path)
  await until(async () => lost)
  await state(page, path, 'waiting')
  await page.unrouteAll()
  await page.reload()
  await ready(page)
  await until(async () => (await world.everything()).length === before + 1)
  await world.arrived(t, path)
  await rowOf(page, path).and(page.locator('[data-state="done"]')).waitFor()
  t.equal((await world.stored(path)).length, 1)
})

t.test('parts that the server has deleted start over repeatedly, and the other parts stay', async t => {
  const { page, path } = await world.inTheMiddle(t, 'swept.bin', { preferences })
  const parts = async () => (await world.everything()).filter(({ size }) => size === 2 * MiB)
  const [kept] = await parts()
  for (let round = 0; round < 2; round++) {
    await until(async () => {
      const begun = await parts()
      return begun.length === 3 && begun.every(({ bytes }) => bytes > 0)
    })
    await page.getByRole('button', { name: 'Pause swept.bin' }).click()
    await state(page, path, 'paused')
    for (const { id } of await parts()) if (id !== kept?.id) await world.remove(id)
    await page.getByRole('button', { name: 'Resume swept.bin' }).click()
    await rowOf(page, path).getByText('Uploading from the start').waitFor()
  }
  t.ok((await parts()).some(({ id }) => id === kept?.id))
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('parts that the server has deleted before the join start over', async t => {
  const page = await world.open(t)
  await setPreferences(page, preferences)
  let asked = 0
  let cut = true
  await page.route('**/files', (route, request) => {
    if (!cut || !request.headers()['upload-concat']?.startsWith('final')) return route.fallback()
    // The response of a server without concatenation-unfinished, before it goes down.
    return asked++ === 0 ? route.fulfill({ status: 400 }) : route.abort()
  })
  const path = await world.file('swept-whole.bin', 3 * MiB)
  await give(page, path)
  await until(async () => asked >= 2)
  const parts = (await world.everything()).filter(({ size }) => size === MiB)
  t.same(parts.map(({ bytes }) => bytes), [MiB, MiB, MiB], 'they are complete')
  for (const { id } of parts) await world.remove(id)
  cut = false
  await state(page, path, 'done')
  await world.arrived(t, path)
})
