import { randomBytes } from 'node:crypto'
import { appendFile, copyFile, mkdir, utimes, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { remembered } from './storage.ts'
import { MiB, drop, give, listen, makeWorld, ownInput, rowOf, state, until } from './world.ts'

const world = await makeWorld()

t.test('an upload with a copy resumes automatically after a reload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'copy.bin')
  await rowOf(page, path).getByText('If you reload this page, the upload resumes automatically').waitFor()
  await page.reload()
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
  await page.reload()
  t.equal(await page.locator('.row').count(), 0, 'nothing is left of it')
})

t.test('a paused upload stays paused after a reload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'paused.bin')
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  await page.getByRole('button', { name: 'Pause paused.bin' }).click()
  await remembered(page)
  await page.reload()
  await state(page, path, 'paused')
  await page.getByRole('button', { name: 'Resume paused.bin' }).click()
  world.hurry()
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('an upload with a handle needs a click after a reload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'handle.bin', { preferences: { copyCap: 0 }, bring: drop })
  await rowOf(page, path).getByText('the upload resumes after one click').waitFor()
  // Chromium revokes the permission some seconds after the visitor leaves the site, not at a reload.
  await until(async () => {
    await page.goto('about:blank')
    await wait(6000)
    await page.goto(world.url)
    return Promise.race([
      rowOf(page, path).getByText('the browser will ask').waitFor().then(() => true),
      state(page, path, 'uploading').then(() => false)
    ])
  })
  t.equal(await page.getByRole('button', { name: 'Continue handle.bin' }).count(), 1)
  await page.getByRole('button', { name: 'Continue all' }).waitFor()
  world.hurry()
  await give(page, path)
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('an upload resumes with its handle if the visitor grants access, and asks again otherwise', async t => {
  const { page, path } = await world.inTheMiddle(t, 'clicked.bin', { preferences: { copyCap: 0 }, bring: drop })
  await rowOf(page, path).getByText('the upload resumes after one click').waitFor()
  // A test cannot answer the prompt of the browser. The handle and the file are real.
  await page.addInitScript(`
    FileSystemHandle.prototype.queryPermission = async () => 'prompt'
    window.asked = 0
    FileSystemHandle.prototype.requestPermission = async () => {
      window.asked++
      return window.asked > 1 ? 'granted' : 'denied'
    }`)
  await page.reload()
  const button = page.getByRole('button', { name: 'Continue clicked.bin' })
  await button.click()
  await rowOf(page, path).getByText('The browser denied access. Try again, or choose the same file').waitFor()
  await page.getByRole('button', { name: 'Choose the file clicked.bin again' }).waitFor()
  await page.getByRole('button', { name: 'Continue all' }).waitFor()
  await button.click()
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('the browser asks before the visitor leaves only if the file must be chosen again', async t => {
  const { page, path } = await world.inTheMiddle(t, 'left.bin')
  const questions: string[] = []
  page.on('dialog', dialog => questions.push(dialog.type()))
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  await page.close({ runBeforeUnload: true })
  await until(async () => page.isClosed())
  t.same(questions, [])

  const risky = await world.inTheMiddle(t, 'risky.bin', { preferences: { copyCap: 0 } })
  await rowOf(risky.page, risky.path).getByText('choose the same file again to resume').waitFor()
  const asked = risky.page.waitForEvent('dialog')
  await risky.page.close({ runBeforeUnload: true })
  t.equal((await asked).type(), 'beforeunload')
})

t.test('without a copy or handle, the same file must be chosen, and a wrong one is refused', async t => {
  const { page, path } = await world.inTheMiddle(t, 'ghost.bin', { preferences: { copyCap: 0 } })
  await rowOf(page, path).getByText('choose the same file again to resume').waitFor()
  await page.reload()
  await rowOf(page, path).getByText('Choose the same file again to resume at').waitFor()
  let sent = 0
  page.on('request', request => { if (['POST', 'PATCH'].includes(request.method())) sent++ })

  const elsewhere = join(dirname(path), 'elsewhere')
  await mkdir(elsewhere)
  const wrong = join(elsewhere, basename(path))
  await writeFile(wrong, randomBytes(5 * MiB))
  await give(page, wrong)
  await rowOf(page, path).getByText('its size is 5 MiB, not 6 MiB').waitFor()

  await writeFile(wrong, randomBytes(6 * MiB))
  const { atime, mtime } = await stat(path)
  await utimes(wrong, atime, mtime)
  await give(page, wrong)
  await rowOf(page, path).getByText(/its content is different|its modification date is different/).waitFor()

  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser').catch(() => null),
    // Without the file picker API, which no script can control.
    page.evaluate(() => { delete (window as { showOpenFilePicker?: unknown }).showOpenFilePicker })
      .then(() => page.getByRole('button', { name: 'Choose the file ghost.bin again' }).click())
  ])
  const other = join(elsewhere, 'other.bin')
  await copyFile(path, other)
  await chooser?.setFiles(other)
  await rowOf(page, path).getByText('its name is not “ghost.bin”').waitFor()
  t.equal(sent, 0, 'no byte of a wrong file was sent')
  t.equal(await page.locator('.row').count(), 1, 'the wrong file was not uploaded separately')

  await give(page, path)
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
})

t.test('a file that is chosen twice at once resumes once', async t => {
  const { page, path } = await world.inTheMiddle(t, 'hasty.bin', { preferences: { copyCap: 0 } })
  await rowOf(page, path).getByText('choose the same file again to resume').waitFor()
  // So that no request of the first visit is pending.
  await page.getByRole('button', { name: 'Pause hasty.bin' }).click()
  await state(page, path, 'paused')
  await remembered(page)
  await page.addInitScript(`{
    window.going = window.most = 0
    const { send } = XMLHttpRequest.prototype
    XMLHttpRequest.prototype.send = function (body) {
      window.most = Math.max(window.most, ++window.going)
      this.addEventListener('readystatechange', () => { if (this.readyState === 4) window.going-- })
      send.call(this, body)
    }
  }`)
  await page.reload()
  await rowOf(page, path).getByText('Choose the same file again').waitFor()
  await ownInput(page, path)
  await page.evaluate(`{
    const clipboardData = new DataTransfer()
    clipboardData.items.add(document.getElementById('own').files[0])
    for (let times = 0; times < 2; times++) document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }))
  }`)
  await rowOf(page, path).getByText('resumed at').waitFor()
  world.hurry()
  await state(page, path, 'done')
  t.equal(await page.evaluate('most'), 1, 'one request at a time')
  await world.arrivedOnce(t, path)
})

t.test('an upload without a response to HEAD does not block the other uploads', async t => {
  const { page, path } = await world.inTheMiddle(t, 'unasked-1.bin', { preferences: { copyCap: 0 } })
  const second = await world.file('unasked-2.bin', 6 * MiB)
  await give(page, second)
  await rowOf(page, second).getByText('choose the same file again to resume').waitFor()
  await remembered(page)
  // Never responds.
  await page.route('**/files/*', (route, request) => request.method() === 'HEAD' ? undefined : route.fallback())
  await page.reload()
  for (const each of [path, second]) await rowOf(page, each).getByText('Choose the same file again').waitFor()
  t.equal(await page.locator('.row').count(), 2)
})

t.test('each wrong file is announced, even if the reason is the same', async t => {
  const { page, path } = await world.inTheMiddle(t, 'refused.bin', { preferences: { copyCap: 0 } })
  await rowOf(page, path).getByText('choose the same file again to resume').waitFor()
  await appendFile(path, 'more')
  await rowOf(page, path).getByText('was changed, moved or deleted').waitFor()
  const why = '“refused.bin” is not the file of this upload: its size is'
  await give(page, path)
  await rowOf(page, path).getByRole('alert').getByText(why).waitFor()
  const said = await listen(page, '.words .problem')
  await give(page, path)
  await said(why)
})

t.test('an upload with several lanes resumes after a reload', async t => {
  const { page, path } = await world.inTheMiddle(t, 'lanes.bin', { preferences: { lanes: 2 } })
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
  await page.reload()
  world.hurry()
  await state(page, path, 'done')
  await world.arrivedOnce(t, path)
})
