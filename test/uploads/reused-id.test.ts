import { Readable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { ForeignStore } from '../foreign-store.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../helper.ts'

type Headers = Record<string, string>

const octets = { 'content-type': OFFSET_OCTET_STREAM }
const named = (name: string) => ({ 'upload-metadata': `filename ${Buffer.from(name).toString('base64')}` })

/** An app in which the name of a file is the id of its upload, and only its owner may access an upload. */
async function rig (t: Test, options: FastifyTusOptions = {}) {
  let gate: Promise<void> | undefined
  let asked = 0
  const built = await build(t, {
    namingFunction: (_request, { filename }) => filename as string,
    onUploadCreate: (request, { metadata }) => ({
      metadata: { ...metadata, owner: String(request.headers['x-user']) }
    }),
    authorize: async (request, { action, upload }) => {
      const isAllowed = action === 'create' || upload.metadata?.owner === request.headers['x-user']
      asked++
      if (action !== 'create') await gate
      return isAllowed
    },
    ...options
  })
  const as = (user: string) => async (method: string, url: string, headers: Headers = {}, body?: string) =>
    await built.request(method, url, { ...headers, 'x-user': user }, body)
  /** Holds a request after its authorization until `meanwhile` is done. */
  const duringAuthorize = async <T>(start: () => Promise<T>, meanwhile: () => Promise<void>): Promise<T> => {
    let open = () => {}
    gate = new Promise((resolve) => { open = resolve })
    const before = asked
    const running = start()
    await until(() => asked > before)
    gate = undefined
    await meanwhile()
    open()
    return await running
  }
  return { ...built, bob: as('bob'), ann: as('ann'), duringAuthorize }
}

t.test('a final upload does not take a part of another user that reuses the id of a deleted part', async (t) => {
  const { bob, ann } = await rig(t)
  const partial = { 'upload-concat': 'partial', 'upload-length': '6', ...named('report') }
  t.equal((await bob('POST', '/files', partial)).statusCode, 201)
  t.equal((await bob('POST', '/files', { 'upload-concat': 'final;/files/report', ...named('final') })).statusCode, 201)
  t.equal((await bob('DELETE', '/files/report')).statusCode, 204)
  t.equal((await ann('POST', '/files', { ...partial, ...octets }, 'secret')).statusCode, 201)
  await until(async () => (await bob('HEAD', '/files/final')).statusCode === 404)
  t.equal((await ann('HEAD', '/files/report')).headers['upload-offset'], '6', 'the part is unchanged')
})

t.test('a request acts on the upload that was authorized, not on a later upload with its id', async (t) => {
  const requests: Array<[method: string, length: string, headers?: Headers, body?: string]> = [
    ['GET', '6'],
    ['GET', '6', { range: 'bytes=0-2' }],
    ['HEAD', '12'],
    ['PATCH', '12', { ...octets, 'upload-offset': '6' }, 'tamper'],
    ['DELETE', '12']
  ]
  for (const [method, length, headers, body] of requests) {
    const { bob, ann, duringAuthorize } = await rig(t)
    const create = { 'upload-length': length, ...octets, ...named('x') }
    t.equal((await bob('POST', '/files', create, 'bobbob')).statusCode, 201)
    const response = await duringAuthorize(async () => await bob(method, '/files/x', headers, body), async () => {
      t.equal((await bob('DELETE', '/files/x')).statusCode, 204)
      t.equal((await ann('POST', '/files', create, 'secret')).statusCode, 201)
    })
    t.equal(response.statusCode, 404, method)
    t.notMatch(response.body, 'sec')
    t.equal((await ann('HEAD', '/files/x')).headers['upload-offset'], '6', 'the other upload is unchanged')
  }
})

t.test('a reader of a growing upload does not get the bytes of a later upload with its id', async (t) => {
  const { bob, ann, listen } = await rig(t, { download: { growing: true } })
  const base = await listen()
  const deferred = { 'upload-defer-length': '1', ...named('y') }
  for (const bytes of ['', 'bob']) {
    t.equal((await bob('POST', '/files', { ...deferred, ...octets }, bytes)).statusCode, 201)
    const { body } = await fetch(`${base}/files/y`, { headers: { 'x-user': 'bob' } })
    t.equal((await bob('DELETE', '/files/y')).statusCode, 204)
    t.equal((await ann('POST', '/files', { ...deferred, ...octets }, 'secrets')).statusCode, 201)
    let read = ''
    try {
      for await (const chunk of Readable.fromWeb(body as never)) read += String(chunk)
    } catch {}
    t.ok(bytes.startsWith(read), `the response ends with ${read}`)
    t.equal((await ann('DELETE', '/files/y')).statusCode, 204)
  }
})

t.test('an id that another process has released counts for the client that uses it next', async (t) => {
  const { bob, ann, directory } = await rig(t, {
    expiration: { period: 60_000 },
    perClient: { maxUploads: 1, key: ({ headers }) => String(headers['x-user']) }
  })
  const create = (name: string) => ({ 'upload-length': '6', ...named(name) })
  t.equal((await bob('POST', '/files', create('x'))).statusCode, 201)
  const other = await rig(t, { directory })
  t.equal((await other.bob('DELETE', '/files/x')).statusCode, 204)
  t.equal((await ann('POST', '/files', create('x'))).statusCode, 201)
  t.equal((await ann('POST', '/files', create('z'))).statusCode, 429)
  t.equal((await bob('POST', '/files', create('z'))).statusCode, 201, 'the deleted upload does not count')
})

t.test('an upload of a store that does not record the creation date is served, also with authorize', async (t) => {
  const datastore = new class extends ForeignStore {
    override async getUpload (id: string) {
      return { ...await super.getUpload(id), creation_date: new Date().toISOString() }
    }

    async read (id: string) {
      return Readable.from([this.bytesOf(id)])
    }
  }()
  const { bob } = await rig(t, { datastore })
  const create = { 'upload-length': '6', ...octets, ...named('x') }
  t.equal((await bob('POST', '/files', create, 'abc')).statusCode, 201)
  t.equal((await bob('HEAD', '/files/x')).headers['upload-offset'], '3')
  t.equal((await bob('PATCH', '/files/x', { ...octets, 'upload-offset': '3' }, 'def')).statusCode, 204)
  t.equal((await bob('GET', '/files/x')).body, 'abcdef')
  t.equal((await bob('DELETE', '/files/x')).statusCode, 204)
})

t.test('a final upload does not take a part that another process has put in the place of its own', async (t) => {
  const directory = t.testdir()
  let names = 0
  const datastore = new FileStore({ directory })
  const { create, post, head } = await build(t, { datastore, namingFunction: () => `part-${names++}` })
  const part = await create(3, { 'upload-concat': 'partial' })
  const { headers } = await post({ 'upload-concat': `final;${part}` })
  const final = headers['location'] as string
  t.equal((await head(final)).statusCode, 200)
  const other = new FileStore({ directory })
  await other.remove('part-0')
  const concatenation = { header: 'partial' }
  await other.create({ id: 'part-0', size: 3, offset: 0, creation_date: '2026-01-01T00:00:00.000Z', concatenation })
  t.equal((await head(final)).statusCode, 410)
})
