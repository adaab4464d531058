import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Server } from '@tus/server'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

interface Client {
  datastore: FileStore
  send (method: string, url: string, headers?: Record<string, string>, body?: string): Promise<Response>
}

/** `@tus/server` on our store. */
async function serve (t: Test, directory: string): Promise<Client> {
  const datastore = new FileStore({ directory })
  const tus = new Server({ path: '/files', datastore, relativeLocation: true })
  const server = http.createServer((request, response) => { tus.handle(request, response) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    datastore,
    send: (method, url, headers = {}, body) => fetch(`${base}${url}`, {
      method,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body === undefined ? {} : { body })
    })
  }
}

const at = (offset: number) => ({ 'upload-offset': String(offset), 'content-type': OFFSET_OCTET_STREAM })

t.test('FileStore serves every request of @tus/server', async (t) => {
  const { datastore, send } = await serve(t, t.testdir())
  const created = await send('POST', '/files', { 'upload-length': '6', 'upload-metadata': 'name YQ==' })
  t.equal(created.status, 201)
  const location = created.headers.get('location') ?? ''
  t.equal((await send('PATCH', location, at(0), 'abc')).status, 204)
  t.equal((await send('PATCH', location, at(1), 'bc')).status, 409)
  const head = await send('HEAD', location)
  t.equal(head.status, 200)
  t.equal(head.headers.get('upload-offset'), '3')
  t.equal(head.headers.get('upload-length'), '6')
  t.equal(head.headers.get('upload-metadata'), 'name YQ==')
  const last = await send('PATCH', location, at(3), 'def')
  t.equal(last.status, 204)
  t.equal(last.headers.get('upload-offset'), '6')
  t.equal(await text(datastore.read(location.slice('/files/'.length))), 'abcdef')
  t.equal((await send('DELETE', location)).status, 204)
  for (const method of ['HEAD', 'DELETE']) t.equal((await send(method, location)).status, 404, method)
  t.equal((await send('PATCH', location, at(6), '')).status, 404)
})

t.test('FileStore serves the extensions that @tus/server offers', async (t) => {
  const { send } = await serve(t, t.testdir())
  const offered = (await send('OPTIONS', '/files')).headers.get('tus-extension') ?? ''
  t.same(offered.split(',').sort(), [
    'creation', 'creation-defer-length', 'creation-with-upload', 'expiration', 'termination'
  ])
  const type = { 'content-type': OFFSET_OCTET_STREAM }
  const withUpload = await send('POST', '/files', { ...type, 'upload-length': '3' }, 'abc')
  t.equal(withUpload.status, 201)
  t.equal(withUpload.headers.get('upload-offset'), '3')

  const deferred = await send('POST', '/files', { 'upload-defer-length': '1' })
  const location = deferred.headers.get('location') ?? ''
  t.equal((await send('HEAD', location)).headers.get('upload-defer-length'), '1')
  t.equal((await send('PATCH', location, { ...at(0), 'upload-length': '3' }, 'abc')).status, 204)
  t.equal((await send('HEAD', location)).headers.get('upload-length'), '3')
})

t.test('an upload can be moved from @tus/server to the plugin and back while unfinished', async (t) => {
  const directory = t.testdir()
  const theirs = await serve(t, directory)
  const finished: string[] = []
  const ours = await build(t, { directory, onUploadFinish: (_request, { id }) => { finished.push(id) } })
  const created = await theirs.send('POST', '/files', { 'upload-length': '9' })
  const location = created.headers.get('location') ?? ''
  t.equal((await theirs.send('PATCH', location, at(0), 'abc')).status, 204)
  t.equal((await ours.patch(location, 3, 'def')).statusCode, 204)
  t.equal((await theirs.send('HEAD', location)).headers.get('upload-offset'), '6')
  t.equal((await ours.patch(location, 6, 'ghi')).statusCode, 204)
  t.equal((await theirs.send('HEAD', location)).headers.get('upload-offset'), '9')
  t.equal((await ours.stored(location)).toString(), 'abcdefghi')
  t.same(finished, [location.slice('/files/'.length)])
})
