import { createHash } from 'node:crypto'
import t from 'tap'
import type { Test } from 'tap'
import type { Extension, FastifyTusOptions } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, temporaryDirectory } from '../../helper.ts'
import { rawRequest } from '../../raw-request.ts'

const usual: Extension[] = [
  'creation', 'creation-with-upload', 'creation-defer-length', 'checksum', 'checksum-trailer', 'concatenation',
  'concatenation-unfinished', 'termination'
]

async function offeredWith (t: Test, options: FastifyTusOptions): Promise<string[]> {
  const { request } = await build(t, options)
  const { headers } = await request('OPTIONS', '/files')
  return headers['tus-extension'] === undefined ? [] : String(headers['tus-extension']).split(',')
}

t.test('CORE-07 Tus-Extension lists the extensions that work, without the disabled ones', async (t) => {
  const without = (...names: Extension[]) => usual.filter((name) => !names.includes(name)).sort()
  const cases: Array<[off: Extension[], expected: string[]]> = [
    [[], without()],
    [['termination'], without('termination')],
    [['creation-with-upload'], without('creation-with-upload')],
    [['checksum-trailer'], without('checksum-trailer')],
    // An extension that needs a disabled one is disabled with it.
    [['checksum'], without('checksum', 'checksum-trailer')],
    [['concatenation'], without('concatenation', 'concatenation-unfinished')],
    [['creation'], ['checksum', 'checksum-trailer', 'termination']],
    [['creation', 'checksum', 'termination'], []]
  ]
  for (const [off, expected] of cases) {
    const extensions = Object.fromEntries(off.map((name) => [name, false]))
    t.same((await offeredWith(t, { extensions })).sort(), expected, `without ${off.join(', ')}`)
  }
})

t.test('EXP-01 expiration is advertised if unfinished uploads expire', async (t) => {
  const expiration = { period: 3_600_000 }
  t.same((await offeredWith(t, { expiration })).sort(), [...usual, 'expiration'].sort())
  t.same((await offeredWith(t, { expiration, extensions: { expiration: false } })).sort(), [...usual].sort())
})

t.test('CORE-07 methods of disabled extensions are refused, and so are bytes that would not be stored', async (t) => {
  const { create, patch, post, request } = await build(t, {
    extensions: { 'creation-with-upload': false, termination: false }
  })
  const location = await create(3)
  const withBytes = await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc')
  t.match(withBytes, { statusCode: 400, body: /FST_TUS_UNSUPPORTED.*creation-with-upload/ })
  const withoutBytes = await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM })
  t.equal(withoutBytes.statusCode, 201, 'a media type alone has no effect')
  const refused = await request('DELETE', location)
  t.equal(refused.statusCode, 405)
  t.notMatch(refused.headers.allow, 'DELETE')
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)

  const nothing = await build(t, { extensions: { creation: false } })
  t.equal((await nothing.post({ 'upload-length': '3' })).statusCode, 405)
})

const values = (...valid: string[]) => [...valid, 'malformed', '', '0']

t.test('CORE-07 Upload-Checksum is ignored if checksum is disabled, header and trailer', async (t) => {
  const { create, patch, post, listen } = await build(t, { extensions: { checksum: false } })
  const other = createHash('sha1').update('other').digest('base64')
  // Some clients send the checksum of the whole file with each PATCH, or the base64 of hexadecimal digits.
  const hex = Buffer.from(createHash('sha256').update('abc').digest('hex')).toString('base64')
  for (const value of values(`sha1 ${other}`, `sha256 ${hex}`, 'crc32 AAAA')) {
    const sent = { 'upload-checksum': value, trailer: 'Upload-Checksum' }
    t.equal((await patch(await create(3), 0, 'abc', sent)).statusCode, 204, `PATCH ${value}`)
    const withBytes = { ...sent, 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }
    t.match(await post(withBytes, 'abc'), { statusCode: 201, headers: { 'upload-offset': '3' } }, `POST ${value}`)
    const parts = [await create(0, { 'upload-concat': 'partial' })]
    const joined = await post({ 'upload-concat': `final;${parts.join(' ')}`, 'upload-checksum': value })
    t.equal(joined.statusCode, 201, `POST of a final upload ${value}`)
  }
  const chunked = { 'transfer-encoding': 'chunked', trailer: 'Upload-Checksum', 'upload-offset': '0' }
  for (const trailer of ['', `Upload-Checksum: sha1 ${other}\r\n`, 'Upload-Checksum: malformed\r\n']) {
    const { response } = await rawRequest(t, await listen(), 'PATCH', await create(3), {
      'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, ...chunked
    }, `3\r\nabc\r\n0\r\n${trailer}\r\n`)
    t.equal((await response).status, 204, trailer)
  }
})

t.test('CORE-07 Upload-Concat is ignored if concatenation is disabled', async (t) => {
  for (const extensions of [{ concatenation: false }, { concatenation: false, 'creation-defer-length': false }]) {
    const { post, head, patch } = await build(t, { extensions })
    for (const value of values('partial', 'final;/files/a', 'final;')) {
      const { statusCode, headers } = await post({ 'upload-length': '3', 'upload-concat': value })
      t.equal(statusCode, 201, value)
      const location = headers.location as string
      t.equal((await patch(location, 0, 'abc')).statusCode, 204, 'it is an upload like any other')
      t.match((await head(location)).headers, { 'upload-offset': '3', 'upload-concat': undefined })
    }
    const final = await post({ 'upload-concat': 'final;/files/a' })
    t.match(final, { statusCode: 400, body: /Extension concatenation is not supported/ }, 'that has no length')
  }
})

t.test('CORE-07 Upload-Defer-Length is ignored if creation-defer-length is disabled', async (t) => {
  const { post, head, create } = await build(t, { extensions: { 'creation-defer-length': false } })
  for (const value of values('1')) {
    const { statusCode, headers } = await post({ 'upload-length': '3', 'upload-defer-length': value })
    t.equal(statusCode, 201, value)
    t.match((await head(headers.location as string)).headers, { 'upload-length': '3' })
  }
  const alone = await post({ 'upload-defer-length': '1' })
  t.match(alone, { statusCode: 400, body: /Extension creation-defer-length is not supported/ })
  t.match(await post({}), { statusCode: 400, body: /Upload-Length is required/ })
  const part = await create(0, { 'upload-concat': 'partial' })
  t.equal((await post({ 'upload-concat': `final;${part}`, 'upload-defer-length': '1' })).statusCode, 201)
})

t.test('DEFER-03 an upload of a deferred length can be completed after the extension is disabled', async (t) => {
  const directory = await temporaryDirectory(t)
  const before = await build(t, { directory })
  const location = await before.create('deferred')
  await before.app.close()
  const { patch, head } = await build(t, { directory, extensions: { 'creation-defer-length': false } })
  t.equal((await patch(location, 0, 'abc', { 'upload-length': '3' })).statusCode, 204)
  t.match((await head(location)).headers, { 'upload-length': '3', 'upload-offset': '3' })
})

t.test('CREATE-02 CREATE-03 the refusal of a creation without a length, or with both, names the headers', async (t) => {
  const { post } = await build(t)
  t.match(await post({}), { statusCode: 400, body: /Upload-Length or Upload-Defer-Length is required/ })
  t.match(await post({ 'upload-length': '3', 'upload-defer-length': '1' }),
    { statusCode: 400, body: /Upload-Defer-Length and Upload-Length cannot be combined/ })
})
