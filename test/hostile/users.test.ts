/** The example of the guide in which uploads belong to users, and all that a user may try with uploads of others. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { newUploadId } from '../../plugin/ids.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import { runSnippet } from '../docs/snippets.ts'

type Headers = Record<string, string>
const ann = { authorization: 'Bearer ann-s-secret' }
const bob = { authorization: 'Bearer bob-s-secret' }
const append = { 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': '3' }

async function rig (t: Test) {
  const { app, directory } = await runSnippet(t, 'docs/guides/authentication.md', 'auth.js')
  const ask = (method: string, url: string, headers: Headers, payload?: string): Promise<LightMyRequestResponse> =>
    app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(payload === undefined ? {} : { payload })
    })
  const create = async (user: Headers, headers: Headers = { 'upload-length': '6' }, payload = 'abc') => {
    const made = await ask('POST', '/files', { ...headers, ...user, 'content-type': OFFSET_OCTET_STREAM }, payload)
    if (made.statusCode !== 201) throw new Error(made.body)
    return made.headers.location as string
  }
  const bytesOf = (url: string) => readFile(path.join(directory, path.basename(url)), 'utf8')
  return { directory, ask, create, bytesOf }
}

/** Ways to name an upload, and to name the method. */
const urls: Array<[name: string, of: (url: string) => string]> = [
  ['as it is', (url) => url],
  ['with a query', (url) => `${url}?token=x`],
  ['with the own upload in a query', (url) => `${url}?id=mine&x=/files/mine`],
  ['with an encoded letter', (url) => `/files/%${url.charCodeAt(7).toString(16)}${url.slice(8)}`],
  ['with all letters encoded', (url) => `/files/${url.slice(7).replace(/./g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)}`],
  ['with a slash at the end', (url) => `${url}/`],
  ['with two slashes', (url) => url.replace('/files/', '/files//')],
  ['with dots', (url) => url.replace('/files/', '/files/x/../')],
  ['with encoded dots', (url) => url.replace('/files/', '/files/x/%2e%2e/')],
  ['with a semicolon', (url) => `${url};x`],
  ['with a backslash', (url) => url.replace('/files/', '/files\\')],
  ['with an absolute URL', (url) => `http://localhost${url}`]
]
const intents: Array<[name: string, method: string, headers: Headers, body?: string]> = [
  ['HEAD', 'HEAD', {}],
  ['GET', 'GET', {}],
  ['DELETE', 'DELETE', {}],
  ['PATCH', 'PATCH', append, 'xyz'],
  ['GET that is a DELETE', 'GET', { 'x-http-method-override': 'DELETE' }],
  ['GET that is a HEAD', 'GET', { 'x-http-method-override': 'HEAD' }],
  ['POST that is a PATCH', 'POST', { 'x-http-method-override': 'patch', ...append }, 'xyz'],
  ['HEAD that is a GET', 'HEAD', { 'x-http-method-override': 'GET' }],
  ['PUT that is a DELETE', 'PUT', { 'x-http-method-override': 'DELETE' }]
]

t.test('without a user, nothing is allowed except OPTIONS', async (t) => {
  const { directory, ask, create } = await rig(t)
  const url = await create(ann)
  const files = await readdir(directory)
  for (const [name, method, headers, body] of intents) {
    for (const user of [{}, { authorization: 'Bearer nothing' }]) {
      t.equal((await ask(method, url, { ...headers, ...user }, body)).statusCode, 401, name)
    }
  }
  t.equal((await ask('POST', '/files', { 'upload-length': '3' })).statusCode, 401)
  const preflight = { 'access-control-request-method': 'DELETE', 'x-http-method-override': 'DELETE' }
  t.equal((await ask('OPTIONS', url, preflight)).statusCode, 204)
  t.equal((await ask('GET', url, { 'access-control-request-method': 'GET' })).statusCode, 401)
  t.same(await readdir(directory), files)
})

t.test('no user can access the upload of another, whatever the URL and the method', async (t) => {
  const { directory, ask, create, bytesOf } = await rig(t)
  const unfinished = await create(ann)
  const complete = await create(ann, { 'upload-length': '3' })
  const files = (await readdir(directory)).sort()
  for (const url of [unfinished, complete]) {
    for (const [how, of] of urls) {
      for (const [name, method, headers, body] of intents) {
        const response = await ask(method, of(url), { ...headers, ...bob }, body)
        t.ok([403, 404, 405].includes(response.statusCode), `${name} ${how}: ${response.statusCode}`)
        t.notOk('upload-offset' in response.headers, `${name} ${how} returns no offset`)
        t.notMatch(response.body, 'abc')
      }
    }
  }
  t.same((await readdir(directory)).sort(), files)
  t.equal(await bytesOf(unfinished), 'abc')

  // The same requests work for the owner: with the plain URL, and with its encoded forms.
  for (const [how, of] of urls.slice(0, 5)) t.equal((await ask('HEAD', of(unfinished), ann)).statusCode, 200, how)
  const patch = { ...append, ...ann, 'x-http-method-override': 'PATCH' }
  t.equal((await ask('POST', unfinished, patch, 'def')).statusCode, 204)
  t.equal((await ask('GET', unfinished, ann)).body, 'abcdef')
  t.equal((await ask('GET', complete, { ...ann, 'x-http-method-override': 'DELETE' })).statusCode, 204)
})

t.test('no user can concatenate the parts of another', async (t) => {
  const { directory, ask, create } = await rig(t)
  const partial = { 'upload-length': '3', 'upload-concat': 'partial' }
  const hers = await create(ann, partial)
  const his = await create(bob, partial)
  const files = (await readdir(directory)).sort()
  const lists = [
    [hers], [his, hers], [hers, his], [`http://localhost:80${hers}`], [hers.replace('/files/', 'files/')],
    [`/files/x/..${hers.slice(6)}`], [`${hers}?x`]
  ]
  for (const parts of lists) {
    const response = await ask('POST', '/files', { 'upload-concat': `final;${parts.join(' ')}`, ...bob })
    t.ok([400, 403].includes(response.statusCode), `${parts.join(' ')}: ${response.statusCode}`)
    const overridden = { 'upload-concat': `final;${parts.join(' ')}`, 'x-http-method-override': 'POST' }
    t.ok([400, 403].includes((await ask('GET', '/files', { ...overridden, ...bob })).statusCode))
  }
  t.same((await readdir(directory)).sort(), files)

  const made = await ask('POST', '/files', { 'upload-concat': `final;${his} ${his}`, ...bob })
  t.equal(made.statusCode, 201)
  t.equal((await ask('GET', made.headers.location as string, bob)).body, 'abcabc')
  t.equal((await ask('GET', made.headers.location as string, ann)).statusCode, 403)
})

t.test('no client can choose the owner of an upload', async (t) => {
  const { ask, create } = await rig(t)
  const owner = `owner ${Buffer.from('ann').toString('base64')}`
  const url = await create(bob, { 'upload-length': '6', 'upload-metadata': `${owner},__proto__ ${owner.slice(6)}` })
  t.equal((await ask('HEAD', url, ann)).statusCode, 403)
  const { headers } = await ask('HEAD', url, bob)
  t.match(headers['upload-metadata'], `owner ${Buffer.from('bob').toString('base64')}`)
})

t.test('RUFH-35 an id has 128 random bits by default', async (t) => {
  const times = 4096
  const ids = Array.from({ length: times }, newUploadId)
  t.equal(new Set(ids).size, times)
  const set = Array.from({ length: 128 }, () => 0)
  t.ok(ids.every((id) => /^[0-9a-f]{32}$/.test(id)))
  for (const id of ids) {
    const bits = BigInt(`0x${id}`)
    for (let bit = 0; bit < 128; bit++) set[bit] = (set[bit] as number) + Number((bits >> BigInt(bit)) & 1n)
  }
  // Eight standard deviations: a fair bit fails less than once in 10^15 runs.
  for (const [bit, ones] of set.entries()) t.ok(Math.abs(ones - times / 2) < 8 * Math.sqrt(times) / 2, `bit ${bit}: ${ones}`)
})
