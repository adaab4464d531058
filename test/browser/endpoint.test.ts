import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { KiB, MiB, give, makeWorld, ready, rowOf, setPreferences, state } from './world.ts'

const world = await makeWorld()
const other = await makeWorld()

const elsewhere = `${world.url}?endpoint=${encodeURIComponent(`${other.url}files`)}`

const agree = (page: Page) => page.getByRole('button', { name: 'Use the other server' }).click()

/** A foreign tus server that gives all uploads the same URL. */
async function makeStranger (t: Test, location = '/files/1'): Promise<{ endpoint: string, asked: IncomingMessage[] }> {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    for (const what of ['origin', 'headers', 'methods']) response.setHeader(`access-control-allow-${what}`, '*')
    response.setHeader('access-control-expose-headers', '*')
    request.resume().on('end', () => {
      if (request.method === 'POST') response.writeHead(201, { location, 'upload-offset': '0' }).end()
      else response.writeHead(200, { 'content-disposition': 'inline; filename="Call 0800.mp4"' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`, asked }
}

t.test('the page uploads to its own server if the visitor refuses the server of a link', async t => {
  const page = await world.open(t)
  const { endpoint, asked } = await makeStranger(t)
  const { origin } = new URL(endpoint)
  await page.goto(`${world.url}?endpoint=${encodeURIComponent(endpoint.replace('//', '//127.0.0.1:80@'))}`)
  const dialog = page.getByRole('dialog', { name: 'Use another server?' })
  await dialog.getByText(origin, { exact: true }).waitFor()
  await page.keyboard.press('Escape')
  await ready(page)
  t.equal(page.url(), world.url, 'the address no longer names it')
  const path = await world.file('own-server.bin', KiB)
  await give(page, path)
  await state(page, path, 'done')
  await world.arrived(t, path)
  t.same(asked, [])
})

t.test('an endpoint that is not an http: or https: URL is not used', async t => {
  const page = await world.open(t)
  for (const named of ['http://', 'data:text/plain,a', 'javascript:alert(1)']) {
    await page.goto(`${world.url}?endpoint=${encodeURIComponent(named)}`)
    await ready(page)
    t.equal(await page.locator('#endpoint').textContent(), `Uploads go to ${world.url}files`)
  }
})

t.test('another server is used and shown in this tab after the visitor agrees', async t => {
  const page = await world.open(t)
  await page.goto(elsewhere)
  await agree(page)
  await ready(page)
  await page.reload()
  await ready(page)
  await page.getByText(`Files are sent to another server: ${new URL(other.url).origin}`).waitFor()
})

for (const lanes of [1, 2]) {
  t.test(`an upload whose URL has another origin gets no request, with ${lanes} lanes`, async t => {
    const page = await world.open(t)
    const { endpoint } = await makeStranger(t, `${world.url}files/victim`)
    const path = await world.file(`misled-${lanes}.bin`, MiB)
    await setPreferences(page, { lanes, sliceSize: 256 * KiB })
    await page.goto(`${world.url}?endpoint=${encodeURIComponent(endpoint)}`)
    await agree(page)
    await ready(page)
    const misled: string[] = []
    page.on('request', request => {
      if (request.url().includes('victim')) misled.push(request.method())
    })
    await give(page, path)
    await rowOf(page, path).getByText('referred this upload to another server').waitFor()
    await page.getByRole('button', { name: `Cancel misled-${lanes}.bin` }).click()
    await rowOf(page, path).waitFor({ state: 'detached' })
    t.same(misled, [])
  })
}

t.test('the watch page does not take its title from another server', async t => {
  const page = await world.open(t)
  const { endpoint, asked } = await makeStranger(t)
  const link = `${world.url}watch.html?id=1&endpoint=${encodeURIComponent(endpoint)}`
  await page.goto(link)
  await page.getByRole('button', { name: 'Use this site’s server' }).click()
  await page.getByText('The link names another server, which is not used.').waitFor()
  t.same(asked, [])
  await page.goto(link)
  await agree(page)
  await page.getByText(`Call 0800.mp4, from another server: ${new URL(endpoint).origin}`).waitFor()
  t.equal(await page.getByRole('heading').first().textContent(), 'Watch')
  t.equal(await page.title(), 'Watch')
})

t.test('a file that one server has is uploaded to another server', async t => {
  const page = await world.open(t)
  const path = await world.file('for-both.bin', MiB)
  await give(page, path)
  await state(page, path, 'done')
  await page.goto(elsewhere)
  await agree(page)
  await ready(page)
  await give(page, path)
  await state(page, path, 'done')
  t.equal(await rowOf(page, path).getByText('the server already had this file').count(), 0)
  await other.arrived(t, path)
})

/** How often a page requests the list of its own server within a minute. */
async function asksForList (page: Page, url: string): Promise<number> {
  await page.goto(url)
  if (url === elsewhere) await agree(page)
  await ready(page)
  await page.clock.runFor(60_000)
  return page.evaluate<number>('asked.filter(url => String(url).startsWith("api/uploads")).length')
}

t.test('the list of the own server is shown only if it is the endpoint', async t => {
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
