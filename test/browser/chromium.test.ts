import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { chromiumPath, launch, openPage } from './chromium.ts'

t.test('the error of a missing browser names the package to install', async (t) => {
  const { CHROMIUM_PATH } = process.env
  process.env.CHROMIUM_PATH = '/nowhere/chromium'
  t.teardown(() => {
    if (CHROMIUM_PATH === undefined) delete process.env.CHROMIUM_PATH
    else process.env.CHROMIUM_PATH = CHROMIUM_PATH
  })
  t.throws(chromiumPath, /no Chromium at \/nowhere\/chromium: install it .*CHROMIUM_PATH/)
})

t.test('Chromium opens a page', async (t) => {
  const server = createServer((_request, response) => response.end('<title>here</title>')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const page = await openPage(t, await launch(t), `http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  t.equal(await page.title(), 'here')
})
