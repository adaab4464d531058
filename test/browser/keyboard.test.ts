import type { Page } from 'playwright-core'
import t from 'tap'
import { KiB, give, makeWorld, setPreferences, state } from './world.ts'

const world = await makeWorld()

/** Waits until a button of this name has the focus, and presses it if requested. */
async function at (page: Page, name: string, key?: string): Promise<void> {
  await page.locator(':focus').and(page.getByRole('button', { name })).waitFor()
  if (key) await page.keyboard.press(key)
}

t.test('a button that disappears moves the focus to the next one', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const paths = await Promise.all(['a', 'b', 'c'].map(name => world.file(`keys-${name}.bin`, KiB)))
  await give(page, ...paths)
  for (const path of paths) await state(page, path, 'ready')
  await page.getByRole('button', { name: 'Upload all' }).focus()
  await page.keyboard.press('Enter')
  for (const path of paths) await state(page, path, 'done')
  await at(page, 'Clear finished', 'Enter')
  await at(page, 'Choose files')
  t.equal(await page.locator('.row').count(), 0)
})

t.test('the player takes and returns the focus, and a growing list keeps it', async t => {
  const page = await world.open(t)
  const clip = await world.file('keys.mp4', KiB)
  await give(page, clip)
  await state(page, clip, 'done')
  await page.getByRole('button', { name: 'Remove from list: keys.mp4' }).click()
  const watch = page.locator('#server-rows').getByRole('button', { name: 'Watch keys.mp4' })
  await watch.focus()
  await page.keyboard.press('Enter')
  await page.locator('#player video:focus').waitFor()
  const another = await world.file('keys-another.bin', KiB)
  await give(page, another)
  await page.locator('#server-rows').getByRole('heading', { name: 'keys-another.bin' }).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('#player').waitFor({ state: 'hidden' })
  // The browser returns it after the player has closed; the test fails if that does not happen.
  await watch.and(page.locator(':focus')).waitFor()
})

t.test('the focus stays usable after a recording is stopped with the keyboard', async t => {
  const page = await world.open(t)
  await page.getByRole('button', { name: 'Record camera' }).focus()
  await page.keyboard.press('Enter')
  await page.locator('#live-link a').waitFor()
  await at(page, 'Stop recording', 'Enter')
  await at(page, 'Close', 'Enter')
  await at(page, 'Choose files')
  t.equal(await page.locator('#live').isVisible(), false)
})
