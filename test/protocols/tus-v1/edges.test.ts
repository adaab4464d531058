import { once } from 'node:events'
import fs from 'node:fs/promises'
import t from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../../helper.ts'
import { rawRequest } from '../../raw-request.ts'

t.test('CWU-06 an upload whose creation was interrupted keeps its bytes until it expires', async (t) => {
  const app = await build(t)
  const { socket } = await rawRequest(t, await app.listen(), 'POST', '/files', {
    'tus-resumable': '1.0.0', 'upload-length': '10', 'content-type': OFFSET_OCTET_STREAM, 'content-length': '10'
  }, 'abcd')
  let id = ''
  await until(async () => {
    id = (await fs.readdir(app.directory)).find((name) => !name.includes('.')) ?? ''
    return id !== '' && (await app.stored(`/files/${id}`)).length === 4
  })
  socket.destroy()
  t.match((await app.head(`/files/${id}`)).headers, { 'upload-offset': '4', 'upload-length': '10' })
  t.equal((await app.patch(`/files/${id}`, 4, 'efghij')).statusCode, 204)
})

t.test('EDGE-29 an id that is a segment of the prefix is an id like any other', async (t) => {
  for (const id of ['files', 'file', 'f']) {
    const app = await build(t, { namingFunction: () => id })
    const location = await app.create(1)
    t.equal(location, `/files/${id}`)
    t.equal((await app.patch(location, 0, 'a')).statusCode, 204)
    t.equal((await app.request('GET', location)).body, 'a')
  }
})

t.test('EDGE-81 input of a client cannot begin a log line', async (t) => {
  const app = await build(t, {
    onUploadCreate: (request, { metadata }) => { request.log.info({ metadata }, 'wanted') }
  })
  const line = Buffer.from('x\r\n{"level":60,"msg":"forged"}').toString('base64')
  await app.post({ 'upload-length': '1', 'upload-metadata': `filename ${line}` })
  await app.request('PATCH', '/files/x%0A%7B%22level%22%3A60%7D')
  await app.post({ 'upload-length': '1', 'x-http-method-override': '{"level":60}' })
  t.ok(app.logs.some(({ msg }) => msg === 'wanted'))
  t.notOk(app.logs.some(({ level }) => level === 60))
})

t.test('LOCK-07 apps that share a locker exclude each other', async (t) => {
  const locker = new MemoryLocker()
  const first = await build(t, { locker })
  const second = await build(t, { locker, directory: first.directory })
  const location = await first.create(10)
  const { response, socket } = await first.stall(location, 0, 10, 'abc')
  await first.untilStored(location, 3)
  t.equal((await second.head(location)).headers['upload-offset'], '3')
  t.match(await response, { status: 423, headers: { connection: 'close' } })
  await once(socket, 'close')
  t.equal((await second.patch(location, 3, 'defghij')).statusCode, 204)
})
