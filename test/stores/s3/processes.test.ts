import { Readable } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import tus from '../../../plugin/index.ts'
import { skip, startRig } from './rig.ts'

const idOf = (url: string) => url.split('/').at(-1) as string
const patch = (offset: number, headers: Record<string, string> = {}) => ({
  method: 'PATCH' as const,
  headers: {
    'tus-resumable': '1.0.0',
    'upload-offset': String(offset),
    'content-type': 'application/offset+octet-stream',
    ...headers
  },
  payload: 'abc'
})

t.test('a process with an outdated cache responds as if it had none', { skip }, async (t) => {
  const rig = await startRig(t)
  const apps = [0, 1].map(() => {
    const app = Fastify()
    app.register(tus, { prefix: '/files', datastore: rig.open() })
    t.teardown(() => app.close())
    return app
  })
  const [first, other] = apps as [typeof apps[0], typeof apps[0]]
  const otherStore = rig.open()
  const create = async (length: Record<string, string> = { 'upload-length': '6' }) => {
    const headers = { 'tus-resumable': '1.0.0', ...length }
    return String((await first.inject({ method: 'POST', url: '/files', headers })).headers['location'])
  }

  await t.test('409 with the offset, after another process has appended', async (t) => {
    const url = await create()
    t.equal((await other.inject({ url, ...patch(0) })).statusCode, 204)
    const refused = await first.inject({ url, ...patch(0) })
    t.match(refused, { statusCode: 409, headers: { 'upload-offset': '3' } })
    t.equal((await first.inject({ url, ...patch(3) })).statusCode, 204)
  })

  await t.test('204, after another process has recorded something else', async (t) => {
    const url = await create()
    await otherStore.update(await otherStore.getUpload(idOf(url)), { finished: true })
    t.equal((await first.inject({ url, ...patch(0) })).statusCode, 204)
    t.match(await otherStore.getUpload(idOf(url)), { offset: 3, finished: true })
  })

  await t.test('204, after another process has recorded the length', async (t) => {
    const url = await create({ 'upload-defer-length': '1' })
    const declared = patch(0, { 'upload-length': '6' })
    t.equal((await other.inject({ url, ...declared, payload: '' })).statusCode, 204)
    t.equal((await first.inject({ url, ...patch(0) })).statusCode, 204)
  })

  await t.test('423, if another process records the length during the body', async (t) => {
    const url = await create({ 'upload-defer-length': '1' })
    async function * body () {
      yield 'abc'
      await other.inject({ url, ...patch(0, { 'upload-length': '6' }), payload: '' })
    }
    const response = await first.inject({ url, ...patch(0), payload: Readable.from(body()) })
    t.match(response, { statusCode: 423, body: /FST_TUS_DISPLACED/ })
    t.equal((await first.inject({ url, ...patch(0) })).statusCode, 204)
  })

  await t.test('404, after another process has deleted the upload', async (t) => {
    const url = await create()
    await other.inject({ method: 'DELETE', url, headers: { 'tus-resumable': '1.0.0' } })
    t.equal((await first.inject({ url, ...patch(0) })).statusCode, 404)
  })
})
