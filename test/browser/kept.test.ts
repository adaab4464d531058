import t from 'tap'
import { remembered } from './storage.ts'
import { give, makeWorld, ready, rowOf } from './world.ts'

const world = await makeWorld()

t.test('without storage, no row promises that an upload survives a reload', async t => {
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
  await rowOf(page, path).getByText('the upload is lost and must start over').waitFor()
})

t.test('storage works after a tab with an older page is closed', async t => {
  const { page, path } = await world.inTheMiddle(t, 'after-the-old-one.bin', {
    async bring (page, path) {
      await page.goto(`${world.url}healthz`)
      const old = await page.context().newPage()
      await old.goto(`${world.url}healthz`)
      // The database of that page.
      await old.evaluate(`new Promise((resolve, reject) => {
        indexedDB.deleteDatabase('fastify-tus')
        const opening = indexedDB.open('fastify-tus', 1)
        opening.onerror = reject
        opening.onupgradeneeded = () => {
          opening.result.createObjectStore('uploads', { keyPath: 'id' })
          opening.result.createObjectStore('sources')
          opening.result.createObjectStore('finished', { keyPath: 'fingerprint' })
          opening.result.createObjectStore('recordings', { keyPath: 'id' })
        }
        opening.onsuccess = resolve
      })`)
      await page.goto(world.url)
      await page.getByText('This browser stores nothing for this page').waitFor()
      await old.close()
      await remembered(page)
      await give(page, path)
    }
  })
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
})

t.test('storage works again after the browser has closed the database', async t => {
  const { page, path } = await world.inTheMiddle(t, 'after-the-closing.bin', {
    async bring (page, path) {
      await remembered(page)
      // As if the visitor clears the data of the site.
      await page.evaluate(`new Promise((resolve, reject) => {
        const deleting = indexedDB.deleteDatabase('fastify-tus')
        deleting.onsuccess = resolve
        deleting.onerror = reject
      })`)
      await give(page, path)
    }
  })
  await rowOf(page, path).getByText('the upload resumes automatically').waitFor()
})
