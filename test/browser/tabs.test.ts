import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { remembered } from './storage.ts'
import { give, makeWorld, ready, rowOf, state, until } from './world.ts'
import type { Middle } from './world.ts'

const world = await makeWorld()

t.test('one of two tabs uploads, and the other takes over when it is closed', async t => {
  const { page, path } = await world.inTheMiddle(t, 'tabs.bin')
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  const second = await page.context().newPage()
  await second.goto(world.url)
  await rowOf(second, path).getByText('Open in another tab of this browser').waitFor()
  await page.close()
  await rowOf(second, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(second, path, 'done')
  await world.arrivedOnce(t, path)
})

// Two tabs that were open before the file was chosen in the first one.
async function twoTabs (t: Test, name: string, preferences = {}): Promise<Middle & { second: Page }> {
  const tabs: Page[] = []
  const bring = async (page: Page, path: string) => {
    const second = await page.context().newPage()
    await second.goto(world.url)
    await ready(second)
    tabs.push(second)
    await give(page, path)
  }
  const middle = await world.inTheMiddle(t, name, { bring, preferences })
  return { ...middle, second: tabs[0] as Page }
}

t.test('a file that another tab owns is never uploaded again', async t => {
  const { page, path, second } = await twoTabs(t, 'given-twice.bin')
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  await page.getByRole('button', { name: 'Pause given-twice.bin' }).click()
  await state(page, path, 'paused')
  await give(second, path)
  await rowOf(second, path).getByText('Open in another tab of this browser').waitFor()
  await give(second, path)
  await second.getByText('“given-twice.bin” is already in the list.').waitFor()
  await page.getByRole('button', { name: 'Resume given-twice.bin' }).click()
  await remembered(page)
  await page.close()
  await rowOf(second, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(second, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('the upload of a closed tab resumes in the tab where the file is chosen again', async t => {
  const { page, path, second } = await twoTabs(t, 'given-again.bin', { copyCap: 0 })
  await remembered(page)
  await page.close()
  await until(() => second.evaluate(async () => (await navigator.locks.query()).held?.length === 0))
  await give(second, path)
  await rowOf(second, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(second, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('a finished upload disappears from the list of other tabs', async t => {
  const { page, path } = await world.inTheMiddle(t, 'finished-there.bin')
  const second = await page.context().newPage()
  await second.goto(world.url)
  await rowOf(second, path).getByText('Open in another tab').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await rowOf(second, path).waitFor({ state: 'detached' })
  await world.arrivedOnce(t, path)
})
