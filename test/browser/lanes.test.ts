import type { Page } from 'playwright-core'
import t from 'tap'
import { KiB, makeWorld, rowOf, state } from './world.ts'

const world = await makeWorld()
const preferences = { lanes: 3, sliceSize: 256 * KiB }

async function online (page: Page, value: boolean): Promise<void> {
  await page.evaluate(value => {
    Object.defineProperty(navigator, 'onLine', { value, configurable: true })
    if (value) window.dispatchEvent(new Event('online'))
  }, value)
}

/** Takes the network away from one of the three lanes, and not from the others. */
async function cutOne (page: Page): Promise<void> {
  const moving = (count: number) =>
    page.waitForFunction(count => document.querySelectorAll('.strip .sending').length === count, count)
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

t.test('a part that has lost the network goes on when it is back, while the others move', async t => {
  const { page, path } = await world.inTheMiddle(t, 'one-offline.bin', { preferences })
  await cutOne(page)
  t.equal(await rowOf(page, path).getAttribute('data-state'), 'uploading')
  await online(page, true)
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a part that has lost the network is waited for once the others are there', async t => {
  const { page, path } = await world.inTheMiddle(t, 'last-offline.bin', { preferences })
  await cutOne(page)
  world.hurry()
  await rowOf(page, path).getByText('No network').waitFor()
  t.notMatch(await rowOf(page, path).locator('.figures').textContent(), '/s', 'no speed is told')
  await online(page, true)
  await state(page, path, 'done')
  await world.arrived(t, path)
})
