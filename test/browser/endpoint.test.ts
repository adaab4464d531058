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
