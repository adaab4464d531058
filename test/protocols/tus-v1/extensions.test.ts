import t from 'tap'
import type { Test } from 'tap'
import type { Extension, FastifyTusOptions } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

const usual: Extension[] = [
  'creation', 'creation-with-upload', 'creation-defer-length', 'checksum', 'checksum-trailer', 'concatenation',
  'concatenation-unfinished', 'termination'
]

async function offeredWith (t: Test, options: FastifyTusOptions): Promise<string[]> {
  const { request } = await build(t, options)
  const { headers } = await request('OPTIONS', '/files')
  return headers['tus-extension'] === undefined ? [] : String(headers['tus-extension']).split(',')
}

t.test('CORE-07 Tus-Extension lists what works, and what is switched off is left out', async (t) => {
  const without = (...names: Extension[]) => usual.filter((name) => !names.includes(name)).sort()
  const cases: Array<[off: Extension[], expected: string[]]> = [
    [[], without()],
    [['termination'], without('termination')],
    [['creation-with-upload'], without('creation-with-upload')],
    [['checksum-trailer'], without('checksum-trailer')],
    // What means nothing without another one goes with it.
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

t.test('EXP-01 expiration is advertised where unfinished uploads expire', async (t) => {
  const expiration = { period: 3_600_000 }
  t.same((await offeredWith(t, { expiration })).sort(), [...usual, 'expiration'].sort())
  t.same((await offeredWith(t, { expiration, extensions: { expiration: false } })).sort(), [...usual].sort())
})

t.test('CORE-07 what is switched off is refused', async (t) => {
  const { create, patch, post, request } = await build(t, {
    extensions: { 'creation-with-upload': false, 'creation-defer-length': false, checksum: false, termination: false }
  })
  const location = await create(3)
  const unsupported = [
    await post({ 'upload-defer-length': '1' }),
    await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc'),
    await patch(location, 0, 'abc', { 'upload-checksum': 'sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=' })
  ]
  for (const answer of unsupported) {
    t.equal(answer.statusCode, 400)
    t.equal(answer.json().code, 'FST_TUS_UNSUPPORTED')
  }
  const refused = await request('DELETE', location)
  t.equal(refused.statusCode, 405)
  t.notMatch(refused.headers.allow, 'DELETE')
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)

  const nothing = await build(t, { extensions: { creation: false } })
  t.equal((await nothing.post({ 'upload-length': '3' })).statusCode, 405)
})
