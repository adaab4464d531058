import { Readable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { matchSettings } from '../../../plugin/engines.ts'
import { MemoryLocker, MemoryStore } from '../../../plugin/index.ts'
import type { FastifyTusOptions } from '../../../plugin/index.ts'
import { resolveSettings } from '../../../plugin/settings.ts'
import { StoreAdapter } from '../../../plugin/stores/adapter.ts'
import { appendToUpload } from '../../../plugin/uploads/append.ts'
import type { Body } from '../../../plugin/uploads/body/body.ts'
import { createContext } from '../../../plugin/uploads/context.ts'
import { createUpload } from '../../../plugin/uploads/create.ts'
import type { Creation } from '../../../plugin/uploads/create.ts'

const request = { log: Fastify().log } as unknown as FastifyRequest

/** Operations without a protocol, and a log of the calls that they make to a body. */
function rig (options: FastifyTusOptions = {}) {
  const store = new StoreAdapter(new MemoryStore())
  const engines = { store, locker: new MemoryLocker() }
  const finished: string[] = []
  const settings = resolveSettings({ ...options, onUploadFinish: (_request, { id }) => { finished.push(id) } })
  const { signal } = new AbortController()
  const context = createContext(matchSettings(settings, store), engines, Fastify().log, '/files', signal)
  const calls: string[] = []
  const bodyOf = (text: string, completes?: boolean): Body => ({
    stream: Readable.from(text === '' ? [] : [Buffer.from(text)]),
    length: undefined,
    completes,
    accept: ({ id, offset }) => { calls.push(`accept ${id === '' ? '' : 'id'} ${offset}`) },
    onStored: (offset) => { calls.push(`stored ${offset}`) },
    close: () => {},
    isExclusive: () => false,
    release: () => {}
  })
  return { context, calls, finished, bodyOf }
}

t.test('a body is accepted once its upload exists, and is notified of each stored offset', async (t) => {
  const { context, calls, bodyOf } = rig()
  const { upload } = await createUpload(context, request, { size: 6, metadata: {}, body: bodyOf('abc') })
  await appendToUpload(context, request, upload.id, { offset: 3, length: undefined, body: bodyOf('def') })
  t.same(calls, ['accept id 0', 'stored 3', 'accept id 3', 'stored 6'])
})

t.test('an upload of unknown length completes once a body declares its end', async (t) => {
  const { context, finished, bodyOf } = rig()
  const wanted = { size: undefined, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('abc', false) })
  t.match(upload, { offset: 3, size: undefined, complete: false })
  const appending = { offset: 3, length: undefined, body: bodyOf('de', true) }
  const { upload: complete } = await appendToUpload(context, request, upload.id, appending)
  t.match(complete, { offset: 5, size: 5, complete: true })
  t.same(finished, [upload.id])
})

t.test('an empty body completes an upload whose bytes are stored', async (t) => {
  const { context, finished, bodyOf } = rig()
  const wanted = { size: 3, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('abc', false) })
  t.match(upload, { offset: 3, size: 3, complete: false }, 'reaching the length alone does not complete it')
  t.same(finished, [])
  const { upload: complete } = await appendToUpload(context, request, upload.id, {
    offset: 3, length: undefined, body: bodyOf('', true)
  })
  t.match(complete, { offset: 3, size: 3, complete: true })
  t.same(finished, [upload.id])
})

t.test('RUFH-60 a body that completes an upload below its length is refused, and none of it is kept', async (t) => {
  const { context, finished, bodyOf } = rig()
  const wanted = { size: 6, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('ab') })
  const early = appendToUpload(context, request, upload.id, { offset: 2, length: undefined, body: bodyOf('c', true) })
  await t.rejects(early, { code: 'FST_TUS_LENGTH_MISMATCH' })
  t.match(await context.store.getUpload(upload.id), { offset: 2, size: 6, complete: false })
  t.same(finished, [])
})

t.test('an empty body at the end of a complete upload changes nothing', async (t) => {
  const { context, finished, bodyOf } = rig()
  const { upload } = await createUpload(context, request, { size: 3, metadata: {}, body: bodyOf('abc') })
  const before = await context.store.getUpload(upload.id)
  await appendToUpload(context, request, upload.id, { offset: 3, length: undefined, body: bodyOf('', true) })
  t.same(await context.store.getUpload(upload.id), before)
  t.same(finished, [upload.id])
})

t.test('an upload that was announced to the client remains if its first body fails', async (t) => {
  const { context, bodyOf } = rig()
  const failing = { ...bodyOf(''), expected: { announced: true, trailer: () => undefined } }
  for (const isAnnounced of [true, false]) {
    let id = ''
    const body = { ...failing, accept: (upload: { id: string }) => { id = upload.id } }
    const wanted = { size: 6, metadata: {}, protocol: 'resumable-upload', isAnnounced, body }
    await t.rejects(createUpload(context, request, wanted), { code: 'FST_TUS_CHECKSUM_MISSING' })
    const found = context.store.getUpload(id)
    if (isAnnounced) t.match(await found, { offset: 0, protocol: 'resumable-upload' })
    else await t.rejects(found, { code: 'FST_TUS_NOT_FOUND' })
  }
})

t.test('RUFH-61 a body beyond the length can delete the upload', async (t) => {
  const { context, bodyOf } = rig()
  for (const discardsOverrun of [false, true]) {
    const { upload } = await createUpload(context, request, { size: 3, metadata: {}, body: bodyOf('ab') })
    const appending = { offset: 2, length: undefined, body: bodyOf('cde'), discardsOverrun }
    await t.rejects(appendToUpload(context, request, upload.id, appending), { code: 'FST_TUS_BODY_TOO_LONG' })
    const found = context.store.getUpload(upload.id)
    if (discardsOverrun) await t.rejects(found, { code: 'FST_TUS_NOT_FOUND' })
    else t.match(await found, { offset: 2 })
  }
})

t.test('RUFH-28 a body of known length that completes an upload declares the length', async (t) => {
  const { context, bodyOf } = rig()
  const wanted = { size: undefined, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('ab', false) })
  const stream = new Readable({ read () {} })
  stream.push('c')
  // Ends early, after one of its two bytes.
  const body = { ...bodyOf('', true), stream, length: 2, onStored: () => stream.destroy() }
  const appended = appendToUpload(context, request, upload.id, { offset: 2, length: undefined, body })
  await t.rejects(appended, { code: 'FST_TUS_INTERRUPTED' })
  t.match(await context.store.getUpload(upload.id), { offset: 3, size: 4, complete: false })
})

t.test('RUFH-60 a body that is announced as the last one, and too short, is refused before it is read', async (t) => {
  const { context, calls, bodyOf } = rig()
  const wanted = { size: 6, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: undefined })
  const body = { ...bodyOf('abc', true), length: 3 }
  const early = appendToUpload(context, request, upload.id, { offset: 0, length: undefined, body })
  await t.rejects(early, { code: 'FST_TUS_LENGTH_MISMATCH' })
  t.same(calls, [])
})

t.test('RUFH-66 bytes after the end of a complete upload do not delete it', async (t) => {
  const { context, bodyOf } = rig()
  const { upload } = await createUpload(context, request, { size: 3, metadata: {}, body: bodyOf('abc') })
  const appending = { offset: 3, length: undefined, body: bodyOf('d', true), discardsOverrun: true }
  await t.rejects(appendToUpload(context, request, upload.id, appending), { code: 'FST_TUS_BODY_TOO_LONG' })
  t.match(await context.store.getUpload(upload.id), { offset: 3 })
})

t.test('RUFH-37 a body beyond the maximum size can delete an upload of unknown length', async (t) => {
  const { context, bodyOf } = rig({ maxSize: 4 })
  let id = ''
  const body = { ...bodyOf('abcde'), accept: (upload: { id: string }) => { id = upload.id } }
  const wanted: Creation = { size: undefined, complete: false, metadata: {}, isAnnounced: true, body }
  await t.rejects(createUpload(context, request, wanted), { code: 'FST_TUS_TOO_LARGE' })
  await t.rejects(context.store.getUpload(id), { code: 'FST_TUS_NOT_FOUND' })

  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('ab') })
  const appending = { offset: 2, length: undefined, body: bodyOf('cde'), discardsOverrun: true }
  await t.rejects(appendToUpload(context, request, upload.id, appending), { code: 'FST_TUS_TOO_LARGE' })
  await t.rejects(context.store.getUpload(upload.id), { code: 'FST_TUS_NOT_FOUND' })
})

t.test('without a declared end, a body that reaches the length completes an upload that awaits one', async (t) => {
  const { context, finished, bodyOf } = rig()
  const wanted = { size: 4, complete: false, metadata: {} }
  const { upload } = await createUpload(context, request, { ...wanted, body: bodyOf('ab', false) })
  const append = (offset: number, text: string) =>
    appendToUpload(context, request, upload.id, { offset, length: undefined, body: bodyOf(text) })
  t.match((await append(2, 'c')).upload, { offset: 3, complete: false })
  t.match((await append(3, 'd')).upload, { offset: 4, complete: true })
  t.same(finished, [upload.id])
})
