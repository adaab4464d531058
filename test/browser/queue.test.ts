import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { MiB, drop, give, listen, makeWorld, rowOf, setPreferences, state, until } from './world.ts'

const world = await makeWorld()

t.test('a chosen file is uploaded, and the page reports it', async t => {
  const page = await world.open(t)
  const path = await world.file('one.bin', 20 * MiB + 17)
  await give(page, path)
  await state(page, path, 'done')
  await world.arrived(t, path)
  t.equal(await rowOf(page, path).getByText('Finished').count(), 1)
  t.equal(await page.title(), 'Resumable upload')
})

t.test('an empty file is uploaded', async t => {
  const page = await world.open(t)
  const path = await world.file('empty.bin', 0)
  await give(page, path)
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('waiting empty files count as unfinished', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const paths = await Promise.all(['nothing-1.bin', 'nothing-2.bin'].map(name => world.file(name, 0)))
  await give(page, ...paths)
  await state(page, paths[1] as string, 'ready')
  const percent = page.locator('#overall-percent')
  await page.locator('#overall-text', { hasText: '0 of 2 finished' }).waitFor()
  t.equal(await percent.textContent(), '0%')
  await page.getByRole('button', { name: 'Upload all' }).click()
  await percent.filter({ hasText: '100%' }).waitFor()
})

t.test('two of several files are uploaded at a time, and all finish', async t => {
  const page = await world.open(t)
  world.slow(t)
  const paths = await Promise.all(['a', 'b', 'c', 'd'].map(name => world.file(`${name}.bin`, 3 * MiB)))
  await give(page, ...paths)
  await page.locator('[data-state="uploading"]').nth(1).waitFor()
  // They start while others are still being read.
  await page.locator('[data-state="queued"]').nth(1).waitFor()
  t.equal(await page.locator('[data-state="queued"]').count(), 2)
  await until(async () => /^\d+%/.test(await page.title()))
  world.hurry()
  for (const path of paths) {
    await state(page, path, 'done')
    await world.arrived(t, path)
  }
  t.match(await page.locator('#overall-text').textContent(), '4 of 4 finished')
})

t.test('a file that cannot be read is named, and the others are uploaded', async t => {
  const page = await world.open(t)
  const path = await world.file('readable.bin', MiB)
  await drop(page, join(dirname(path), 'gone.bin'), path)
  await page.getByRole('alert').getByText('“gone.bin” cannot be read').waitFor()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('dropped files and folders are uploaded', async t => {
  const page = await world.open(t)
  const first = await world.file('dropped.bin', MiB)
  const folder = join(dirname(first), 'folder')
  await mkdir(join(folder, 'deep'), { recursive: true })
  const inFolder = join(folder, 'in-folder.txt')
  const deep = join(folder, 'deep', 'deep.txt')
  await writeFile(inFolder, 'in the folder')
  await writeFile(deep, 'deep in the folder')
  const said = await listen(page, '#drop-title')
  await drop(page, first, folder)
  await said('Release to upload')
  await page.getByText('Drop videos, files or folders here').waitFor()
  for (const path of [first, inFolder, deep]) {
    await state(page, path, 'done')
    await world.arrived(t, path)
  }
})

t.test('a paused upload stops, and resumes at its offset', async t => {
  const { page, path } = await world.inTheMiddle(t, 'paused.bin')
  await page.getByRole('button', { name: 'Pause paused.bin' }).click()
  await state(page, path, 'paused')
  const [before] = await world.stored(path)
  await page.getByRole('button', { name: 'Resume paused.bin' }).click()
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  const after = await world.arrived(t, path)
  t.equal(after.id, before?.id, 'it is the same upload')
})

t.test('a cancelled upload is deleted on the server', async t => {
  const { page, path } = await world.inTheMiddle(t, 'cancelled.bin')
  await page.getByRole('button', { name: /^Cancel cancelled.bin/ }).click()
  await rowOf(page, path).waitFor({ state: 'detached' })
  await until(async () => (await world.stored(path)).length === 0)
  t.pass('nothing is left')
})

t.test('"Cancel all" cancels all uploads, and none of them starts', async t => {
  const page = await world.open(t)
  world.slow(t)
  const paths = await Promise.all(['k', 'l', 'm', 'n'].map(name => world.file(`${name}.bin`, 3 * MiB)))
  await give(page, ...paths)
  let created = 0
  await page.locator('[data-state="uploading"]').nth(1).waitFor()
  for (const path of paths.slice(0, 2)) await until(async () => (await world.stored(path)).length === 1)
  page.on('request', request => { if (request.method() === 'POST') created++ })
  await page.getByRole('button', { name: 'Cancel all' }).click()
  t.equal(await page.locator('.row').count(), 0)
  await until(async () => (await Promise.all(paths.map(world.stored))).flat().length === 0)
  t.equal(created, 0)
})

t.test('all uploads are paused, resumed and removed at once', async t => {
  const page = await world.open(t)
  world.slow(t)
  const paths = await Promise.all(['x', 'y', 'z'].map(name => world.file(`${name}.bin`, 3 * MiB)))
  await give(page, ...paths)
  await page.locator('[data-state="uploading"]').nth(1).waitFor()
  await page.getByRole('button', { name: 'Pause all' }).click()
  await page.locator('[data-state="paused"]').nth(2).waitFor()
  await page.getByRole('button', { name: 'Resume all' }).click()
  world.hurry()
  for (const path of paths) {
    await state(page, path, 'done')
    await world.arrived(t, path)
  }
  await page.getByRole('button', { name: 'Clear finished' }).click()
  t.equal(await page.locator('.row').count(), 0)
})

t.test('failed uploads are retried with all others', async t => {
  const page = await world.open(t)
  await page.route('**/files', route => route.fulfill({ status: 403 }))
  const paths = await Promise.all(['refused-1', 'refused-2'].map(name => world.file(`${name}.bin`, MiB)))
  await give(page, ...paths)
  for (const path of paths) await state(page, path, 'failed')
  await page.unroute('**/files')
  await page.getByRole('button', { name: 'Resume all' }).click()
  for (const path of paths) {
    await state(page, path, 'done')
    await world.arrived(t, path)
  }
})

t.test('parallel slices are joined to the file', async t => {
  const { page, path } = await world.inTheMiddle(t, 'lanes.bin', { bytes: 6 * MiB + 5, preferences: { lanes: 3 } })
  await page.getByRole('button', { name: 'Pause lanes.bin' }).click()
  await state(page, path, 'paused')
  await page.getByRole('button', { name: 'Resume lanes.bin' }).click()
  world.hurry()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a file that the server already has is not uploaded again', async t => {
  const page = await world.open(t)
  const path = await world.file('twice.bin', 2 * MiB)
  await give(page, path)
  await state(page, path, 'done')
  await page.getByRole('button', { name: 'Remove from list: twice.bin' }).click()
  await give(page, path)
  await rowOf(page, path).getByText('the server already had this file').waitFor()
  t.equal((await world.stored(path)).length, 1)
})

t.test('a file that the server already has can be uploaded again if uploads do not start at once', async t => {
  const page = await world.open(t)
  const path = await world.file('once-more.bin', MiB)
  await give(page, path)
  await state(page, path, 'done')
  await setPreferences(page, { startAtOnce: false })
  await give(page, path)
  await page.getByRole('button', { name: 'Upload once-more.bin' }).click()
  await state(page, path, 'done')
  await until(async () => (await world.stored(path)).length === 2)
  await world.arrived(t, path)
})

t.test('one message names the files that are already in the list, until the next action', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const paths = await Promise.all(['again-1', 'again-2', 'again-3'].map(name => world.file(`${name}.bin`, MiB)))
  await give(page, ...paths)
  await state(page, paths[2] as string, 'ready')
  await give(page, ...paths)
  const alert = page.locator('#alert')
  await alert.getByText('“again-1.bin” and 2 more are already in the list.').waitFor()
  await give(page, paths[1] as string)
  await alert.getByText('“again-2.bin” is already in the list.').waitFor()
  await page.getByRole('button', { name: /^Cancel again-2.bin/ }).click()
  await rowOf(page, paths[1] as string).waitFor({ state: 'detached' })
  t.equal(await alert.textContent(), '')
})
