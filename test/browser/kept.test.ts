import t from 'tap'
import { give, makeWorld, ready, rowOf } from './world.ts'

const world = await makeWorld()

t.test('where the browser keeps nothing, no row says that an upload survives', async t => {
  const { page, path } = await world.inTheMiddle(t, 'lost.bin', {
    async bring (page, path) {
      await page.addInitScript(`Object.defineProperty(window, 'indexedDB', {
        value: { open () { throw new DOMException('forbidden', 'SecurityError') } }
      })`)
      await page.reload()
      await ready(page)
      await give(page, path)
    }
  })
  await rowOf(page, path).getByText('this upload is lost and must begin anew').waitFor()
})
