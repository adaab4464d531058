import t from 'tap'
import { launch } from './chromium.ts'
import { MiB, makeWorld, ownInput, ready, state, watchErrors } from './world.ts'

const world = await makeWorld()
const browser = await launch(t, { args: ['--host-resolver-rules=MAP another-machine.test 127.0.0.1'] })

t.test('a file that is dropped on an insecure page is uploaded', async t => {
  const page = await browser.newPage({ locale: 'en-US' })
  t.teardown(() => page.close())
  watchErrors(t, page)
  await page.goto(world.url.replace('127.0.0.1', 'another-machine.test'))
  await ready(page)
  t.equal(await page.evaluate('isSecureContext'), false)
  const path = await world.file('insecure.bin', MiB)
  await ownInput(page, path)
  // Dispatched by a script, because a drop by the protocol of the browser has no effect here.
  await page.evaluate(`{
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(document.getElementById('own').files[0])
    document.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }))
  }`)
  await state(page, path, 'done')
  await world.arrived(t, path)
})
