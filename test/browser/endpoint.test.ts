import type { Page } from 'playwright-core'
import t from 'tap'
import { MiB, give, makeWorld, ready, rowOf, state } from './world.ts'

const world = await makeWorld()
const other = await makeWorld()

const elsewhere = `${world.url}?endpoint=${encodeURIComponent(`${other.url}files`)}`

t.test('a file that one server has is sent to another one', async t => {
  const page = await world.open(t)
  const path = await world.file('for-both.bin', MiB)
  await give(page, path)
  await state(page, path, 'done')
  await page.goto(elsewhere)
  await ready(page)
  await give(page, path)
  await state(page, path, 'done')
  t.equal(await rowOf(page, path).getByText('the server had this file already').count(), 0)
  await other.arrived(t, path)
})

/** How often a page that is open for a minute asks what is on its own server. */
async function asksForList (page: Page, url: string): Promise<number> {
  await page.goto(url)
  await ready(page)
  await page.clock.runFor(60_000)
  return page.evaluate<number>('asked.filter(url => String(url).startsWith("api/uploads")).length')
}

t.test('what is on the own server is listed only where files go there', async t => {
  const page = await world.open(t)
  const path = await world.file('listed.bin', MiB)
  await give(page, path)
  await state(page, path, 'done')
  await page.clock.install()
  await page.addInitScript(`{
    window.asked = []
    const { fetch } = window
    window.fetch = (url, options) => { asked.push(url); return fetch(url, options) }
  }`)
  t.equal(await asksForList(page, elsewhere), 0)
  t.ok(await page.locator('#server').isHidden())
  t.equal(await asksForList(page, world.url), 1)
  await page.locator('#server').getByRole('heading', { name: 'listed.bin' }).waitFor()
})
