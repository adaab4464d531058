import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Upload } from '../../../plugin/index.ts'
import { build, until } from '../../helper.ts'

t.test('onUploadTerminate is called after the upload is deleted', async (t) => {
  const calls: Array<[url: string, upload: Upload, left: string[]]> = []
  const { directory, create, patch, request } = await build(t, {
    onUploadTerminate: async (request, upload) => { calls.push([request.url, upload, await readdir(directory)]) }
  })
  const location = await create(3)
  await patch(location, 0, 'ab')
  t.equal((await request('DELETE', location)).statusCode, 204)
  t.match(calls, [[location, { id: path.basename(location), offset: 2, size: 3 }, []]])
  t.equal((await request('DELETE', location)).statusCode, 404)
  t.equal(calls.length, 1)
})

t.test('TERM-07 DELETE of a finished upload is refused if finished uploads are protected', async (t) => {
  let calls = 0
  const { create, patch, head, request } = await build(t, {
    disableTerminationForFinishedUploads: true,
    onUploadTerminate: () => { calls++ }
  })
  const location = await create(3)
  await patch(location, 0, 'abc')
  const refused = await request('DELETE', location)
  t.equal(refused.statusCode, 403)
  t.equal(refused.json().code, 'FST_TUS_TERMINATION_REFUSED')
  t.equal((await head(location)).headers['upload-offset'], '3')
  t.equal(calls, 0)
  t.equal((await request('DELETE', await create(3))).statusCode, 204)
  t.equal(calls, 1)
})

t.test('an onUploadTerminate that fails is logged, and the upload is deleted nevertheless', async (t) => {
  for (const fail of [() => { throw new Error('no connection') }, () => Promise.reject(new Error('no connection'))]) {
    const { directory, logs, create, head, request } = await build(t, { onUploadTerminate: fail })
    const location = await create(3)
    const reply = await request('DELETE', location)
    t.equal(reply.statusCode, 204)
    t.equal(reply.body, '')
    t.match(logs.find(({ msg }) => msg === 'onUploadTerminate failed'), {
      level: 50, uploadId: path.basename(location), err: { message: 'no connection' }
    })
    t.equal((await head(location)).statusCode, 404)
    t.same(await readdir(directory), [])
  }
})

t.test('onProgress is called with the stored offset', async (t) => {
  const calls: Array<[method: string, id: string, offset: number, size: number | undefined]> = []
  const { create, patch, stall } = await build(t, {
    progressInterval: 0,
    onProgress: ({ method }, { id, offset, size }) => { calls.push([method, id, offset, size]) }
  })
  const location = await create(9)
  const id = path.basename(location)
  await patch(location, 0, 'abc')
  t.same(calls, [['PATCH', id, 3, 9]])
  const { socket, response } = await stall(location, 3, 6, 'def')
  await until(() => calls.length === 2)
  socket.write('ghi')
  t.equal((await response).status, 204)
  t.same(calls.slice(1), [['PATCH', id, 6, 9], ['PATCH', id, 9, 9]])
})

t.test('onProgress is called at most every progressInterval ms per body, and for its last bytes', async (t) => {
  const offsets: number[] = []
  const { create, patch, stall, untilStored } = await build(t, {
    progressInterval: 3_600_000,
    onProgress: (_request, { offset }) => { offsets.push(offset) }
  })
  const location = await create(12)
  const { socket, response } = await stall(location, 0, 9, 'abc')
  await untilStored(location, 3)
  socket.write('def')
  await untilStored(location, 6)
  socket.write('ghi')
  t.equal((await response).status, 204)
  t.same(offsets, [3, 9])
  await patch(location, 9, 'jkl')
  t.same(offsets, [3, 9, 12], 'each body reports its progress separately')
})

t.test('an onProgress that fails is logged, and not awaited', async (t) => {
  const fail: Array<() => Promise<void>> = [
    () => { throw new Error('no connection') },
    () => Promise.reject(new Error('no connection')),
    () => new Promise(() => {})
  ]
  for (const [i, onProgress] of fail.entries()) {
    const { logs, create, patch, head } = await build(t, { onProgress })
    const location = await create(3)
    t.equal((await patch(location, 0, 'abc')).statusCode, 204)
    t.equal((await head(location)).headers['upload-offset'], '3')
    if (i === 2) continue
    await until(() => logs.some(({ msg }) => msg === 'onProgress failed'))
    t.match(logs.find(({ msg }) => msg === 'onProgress failed'), {
      level: 50, uploadId: path.basename(location), err: { message: 'no connection' }
    })
  }
})
