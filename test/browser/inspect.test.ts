import { readFile, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import t from 'tap'
import { makeClip } from './clips.ts'
import { sha256 } from './storage.ts'
import { KiB, MiB, give, holds, listen, makeWorld, rowOf, setPreferences, someAccepted, state } from './world.ts'

const world = await makeWorld()

t.test('a video shows its picture and length and plays before its upload', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const path = await world.file('look.mp4', 0)
  await makeClip(path, 4)
  await give(page, path)
  await state(page, path, 'ready')
  t.equal((await world.stored(path)).length, 0, 'nothing is uploaded yet')
  await rowOf(page, path).locator('.thumb.has-poster').waitFor()
  await rowOf(page, path).locator('summary').click()
  await rowOf(page, path).getByText('video/mp4').waitFor()
  t.match(await rowOf(page, path).locator('.facts').textContent(), /0:04 · 640 × 360 · index at the front/)
  await holds(page, 'document.querySelector(".inside video")?.videoWidth === 640')
  await page.getByRole('button', { name: 'Upload look.mp4' }).click()
  await state(page, path, 'done')
  await world.arrived(t, path)
})

t.test('a text file shows its beginning, other files a hex dump', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const text = await world.file('text.txt', 0)
  await writeFile(text, '第一行\nsecond line')
  const binary = await world.file('binary.bin', 0)
  await writeFile(binary, Buffer.from([0, 1, 2, 0x41, 0xff]))
  await give(page, text, binary)
  for (const path of [text, binary]) await rowOf(page, path).locator('summary').click()
  t.equal(await rowOf(page, text).locator('pre').textContent(), '第一行\nsecond line')
  t.match(await rowOf(page, binary).locator('pre').textContent(), /^0000 {2}00 01 02 41 ff .*\.\.\.A\.$/)
})

t.test('the SHA-256 of the file equals that of the upload', async t => {
  const page = await world.open(t)
  const path = await world.file('hash.bin', 20 * MiB + 3)
  await give(page, path)
  await state(page, path, 'done')
  await rowOf(page, path).locator('summary').click()
  await rowOf(page, path).getByRole('button', { name: 'Compare with the server' }).click()
  await rowOf(page, path).getByText('The server has the same bytes').waitFor()
  t.match(await rowOf(page, path).locator('.hash').textContent(), await sha256(path))
})

t.test('a name with bidirectional controls is shown literally and uploaded unchanged', async t => {
  const page = await world.open(t)
  const path = await world.file('invoice\u202Efdp.mp4', 100)
  const shown = 'invoice\uFFFDfdp.mp4'
  await give(page, path)
  await state(page, shown, 'done')
  const [stored] = await world.stored(path)
  t.ok(stored, 'the server has the original name')
  await page.getByRole('button', { name: `Remove from list: ${shown}` }).click()
  await page.locator('#server-rows').getByRole('heading', { name: shown }).waitFor()
  await page.getByRole('button', { name: `Watch ${shown}` }).click()
  await page.locator('#player').getByRole('heading', { name: shown }).waitFor()
  await page.goto(`${world.url}watch.html?id=${stored?.id}`)
  // The name of the download, in which the server replaces these characters.
  await page.getByRole('heading', { name: 'invoice_fdp.mp4' }).waitFor()
  t.equal(await page.title(), 'invoice_fdp.mp4')
})

t.test('a file is renamed, cut and joined before its upload', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const first = await world.file('first.log', 1000)
  const second = await world.file('second.log', 500)
  const below = await world.file('below.log', 100)
  await give(page, first, below)
  await rowOf(page, first).locator('summary').click()
  const form = page.locator('[open] form.edit')
  await form.getByLabel('Start byte').fill('950')
  await form.getByLabel('End byte').fill('900')
  await form.getByRole('button', { name: 'Apply' }).click()
  await form.getByRole('alert').getByText('The start byte must be lower than the end byte').waitFor()
  await form.getByLabel('Start byte').fill('10')
  await form.getByLabel('Append files').setInputFiles(second)
  await form.getByText('second.log').waitFor()
  await form.getByLabel('Name on the server').fill('both.log')
  await form.getByRole('button', { name: 'Apply' }).click()
  await page.locator('#status').getByText('both.log: edited').waitFor()
  await rowOf(page, 'both.log').locator('summary:focus').waitFor()
  await page.getByRole('button', { name: 'Upload both.log' }).click()
  await state(page, 'both.log', 'done')
  const [stored] = await world.stored('both.log')
  const expected = Buffer.concat([(await readFile(first)).subarray(10, 900), await readFile(second)])
  t.equal(await sha256(stored?.path ?? ''), createHash('sha256').update(expected).digest('hex'))
})

t.test('an index that cannot be moved causes a message', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const path = await world.file('packed.mp4', 0)
  const box = (type: string, content: Buffer) => {
    const header = Buffer.alloc(8)
    header.writeUInt32BE(8 + content.length)
    header.write(type, 4, 'latin1')
    return Buffer.concat([header, content])
  }
  // A compressed index.
  const index = box('moov', box('cmov', Buffer.alloc(16)))
  await writeFile(path, Buffer.concat([box('ftyp', Buffer.alloc(8)), box('mdat', Buffer.alloc(100)), index]))
  await give(page, path)
  await page.getByRole('button', { name: 'Move it to the front' }).click()
  await page.locator('#alert').getByText('“packed.mp4” cannot be changed in this way.').waitFor()
  await state(page, path, 'ready')
})

t.test('edits that are applied twice at once create one upload, without an announcement of a cancellation', async t => {
  const page = await world.open(t)
  await setPreferences(page, { startAtOnce: false })
  const path = await world.file('hasty.log', 1000)
  await give(page, path)
  await rowOf(page, path).locator('summary').click()
  const form = page.locator('[open] form.edit')
  await form.getByLabel('Name on the server').fill('hasty-renamed.log')
  const said = await listen(page, '#status')
  await form.getByRole('button', { name: 'Apply' }).evaluate((button: HTMLElement) => {
    button.click()
    button.click()
  })
  await said('hasty-renamed.log: edited')
  await page.getByRole('button', { name: 'Upload hasty-renamed.log' }).click()
  await state(page, 'hasty-renamed.log', 'done')
  t.equal(await page.locator('.row').count(), 1)
  t.notMatch(await page.evaluate<string>('said.join()'), 'cancelled')
  t.equal((await world.stored('hasty-renamed.log')).length, 1)
})

t.test('a paused upload stays paused after an edit', async t => {
  const page = await world.open(t)
  world.slow(t)
  const paths = await Promise.all(['busy-1.bin', 'busy-2.bin', 'later.log'].map(name => world.file(name, 1024 * KiB)))
  await give(page, ...paths)
  await page.getByRole('button', { name: 'Pause later.log' }).click()
  await rowOf(page, 'later.log').locator('summary').click()
  const form = page.locator('[open] form.edit')
  await form.getByLabel('Name on the server').fill('later-renamed.log')
  await form.getByRole('button', { name: 'Apply' }).click()
  await rowOf(page, 'later-renamed.log').waitFor()
  await state(page, 'later-renamed.log', 'paused')
})

t.test('the index of a video moves to the front, and the upload resumes with it after a reload', async t => {
  const page = await world.open(t)
  await setPreferences(page, { sliceSize: 64 * KiB })
  world.slow(t)
  const path = await world.file('moved.mp4', 0)
  await makeClip(path, 12, { faststart: false })
  await give(page, path)
  await someAccepted(page, path)
  const move = page.getByRole('button', { name: 'Move it to the front and start over' })
  await move.click()
  await move.waitFor({ state: 'hidden' })
  await someAccepted(page, path)
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  await page.reload()
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  const stored = await world.stored(path)
  t.equal(stored.length, 1, 'the earlier upload is deleted')
  const bytes = await readFile(stored[0]?.path ?? '')
  t.ok(bytes.indexOf('moov', 0, 'latin1') < bytes.indexOf('mdat', 0, 'latin1'))
  t.equal(bytes.length, (await readFile(path)).length)
})

t.test('an upload with unapplied edits waits, and an inspected upload keeps the focus in its row', async t => {
  const page = await world.open(t)
  world.slow(t)
  const names = ['first-1.bin', 'first-2.bin', 'typed.log', 'closed.log', 'looked-at.log']
  const paths = await Promise.all(names.map(name => world.file(name, 1024 * KiB)))
  const [first, second, typed, closed, looked] = paths as [string, string, string, string, string]
  await give(page, ...paths)
  for (const path of [typed, closed, looked]) {
    await rowOf(page, path).locator('summary').click()
    await rowOf(page, path).getByLabel('Name on the server').focus()
    if (path !== looked) await page.keyboard.type('what-i-typed-')
  }
  world.hurry()
  for (const path of [first, second, looked]) await state(page, path, 'done')
  await rowOf(page, looked).locator('summary:focus').waitFor()
  for (const path of [typed, closed]) {
    await state(page, path, 'queued')
    await rowOf(page, path).getByText('On hold while you edit it').waitFor()
  }
  await rowOf(page, closed).locator('summary').click()
  await state(page, closed, 'done')
  await rowOf(page, typed).getByLabel('Name on the server').fill('what-i-typed.log')
  await rowOf(page, typed).getByRole('button', { name: 'Apply' }).click()
  await state(page, 'what-i-typed.log', 'done')
})
