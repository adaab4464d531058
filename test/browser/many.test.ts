import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { drop, give, makeWorld, ready, state, until } from './world.ts'

const world = await makeWorld()

async function makeFolder (name: string, count: number): Promise<string> {
  const folder = join(dirname(await world.file('beside.bin', 1)), name)
  await mkdir(folder)
  for (let index = 0; index < count; index++) await writeFile(join(folder, `${index}.txt`), `${name} ${index}`)
  return folder
}

t.test('files of a folder are uploaded while others are found, and "Cancel all" ends both', async t => {
  const page = await world.open(t)
  const count = 600
  await drop(page, await makeFolder('many', count))
  const rows = page.locator('.row')
  await page.locator('.row[data-state="done"]').first().waitFor()
  const listed = await rows.count()
  t.ok(listed < count, `${listed} of ${count} are listed when the first one has arrived`)
  await page.getByRole('button', { name: 'Cancel all' }).click()
  const left = await rows.count()
  t.equal(await page.locator('.row[data-state="done"]').count(), left, 'only finished uploads are left')
  const path = await world.file('afterwards.bin', 100)
  await give(page, path)
  await state(page, path, 'done')
  t.equal(await rows.count(), left + 1, 'no other upload entered the list')
})

t.test('files that are not in the list yet are counted, and the browser asks before they are lost', async t => {
  const page = await world.open(t)
  await page.addInitScript(`{
    const { digest } = SubtleCrypto.prototype
    const released = new Promise(resolve => { window.release = resolve })
    SubtleCrypto.prototype.digest = function (...args) { return released.then(() => digest.apply(this, args)) }
  }`)
  await page.reload()
  await ready(page)
  const paths = await Promise.all(Array.from({ length: 20 }, (_, index) => world.file(`counted-${index}.bin`, 1000)))
  await give(page, ...paths)
  const overall = page.locator('#overall')
  await overall.getByText('0 of 20 finished · reading 20 more').waitFor()
  t.equal(await page.locator('#overall-percent').textContent(), '0%')
  // The page asks before the visitor leaves, and the visitor stays.
  page.removeAllListeners('dialog')
  const asked = page.waitForEvent('dialog')
  await page.close({ runBeforeUnload: true })
  await (await asked).dismiss()
  await page.evaluate('release()')
  await overall.getByText('20 of 20 finished').waitFor()
  t.same(await page.locator('.row .name').allTextContents(), paths.map(path => basename(path)), 'in their order')
  await page.close({ runBeforeUnload: true })
  await until(async () => page.isClosed())
})

t.test('all files of a folder are uploaded', async t => {
  const page = await world.open(t)
  // More than one batch.
  const count = 120
  const before = (await world.everything()).length
  await drop(page, await makeFolder('all', count))
  await page.getByText(`${count} of ${count} finished`).waitFor({ timeout: 120_000 })
  t.equal((await world.everything()).length, before + count)
  t.equal(await page.locator('#rows input').count(), 0, 'there are no fields for autofill to scan')
})

t.test('the expanded list of the server stays expanded after a new upload', async t => {
  const page = await world.open(t)
  const rows = page.locator('#server-rows li')
  await rows.nth(9).waitFor()
  t.equal(await rows.count(), 10)
  await page.getByRole('button', { name: 'Show more' }).click()
  await rows.nth(19).waitFor()
  const visitor = await world.open(t)
  const path = await world.file('news.bin', 100)
  await give(visitor, path)
  await state(visitor, path, 'done')
  // An upload of this page makes it reload the list.
  await give(page, await world.file('own.bin', 100))
  await page.locator('#server-rows').getByRole('heading', { name: 'news.bin' }).waitFor()
  t.ok(await rows.count() >= 19)
})
