import { readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import type { Intent } from '../../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

/** A hook that records its calls in short form. */
function record (): { asked: string[], authorize: (request: unknown, intent: Intent) => void } {
  const asked: string[] = []
  return {
    asked,
    authorize: (_request, { action, upload }) => { asked.push(`${action} ${upload.id} ${upload.offset}/${upload.size}`) }
  }
}

t.test('authorize is called before every operation on an upload', async (t) => {
  const { asked, authorize } = record()
  const { app, create, patch, head, request } = await build(t, { authorize })
  const location = await create(3)
  const id = path.basename(location)
  await patch(location, 0, 'ab')
  await head(location)
  await patch(location, 2, 'c')
  t.equal((await app.inject(location)).body, 'abc')
  t.equal((await request('DELETE', location)).statusCode, 204)
  t.same(asked, [
    `create ${id} 0/3`, `append ${id} 0/3`, `inspect ${id} 2/3`, `append ${id} 2/3`, `read ${id} 3/3`,
    `terminate ${id} 3/3`
  ])
})

t.test('CORE-09 authorize gets the method that X-HTTP-Method-Override names', async (t) => {
  const { asked, authorize } = record()
  const { request, create } = await build(t, { authorize })
  const location = await create(3)
  const id = path.basename(location)
  const headers = { 'upload-offset': '0', 'content-type': OFFSET_OCTET_STREAM, 'x-http-method-override': 'PATCH' }
  t.equal((await request('POST', location, headers, 'abc')).statusCode, 204)
  t.equal((await request('GET', location, { 'x-http-method-override': 'HEAD' })).headers['upload-offset'], '3')
  t.equal((await request('GET', location, { 'x-http-method-override': 'delete' })).statusCode, 204)
  t.same(asked.slice(1), [`append ${id} 0/3`, `inspect ${id} 3/3`, `terminate ${id} 3/3`])
})

t.test('authorize gets the upload of the path, whatever else the request names', async (t) => {
  const { asked, authorize } = record()
  const { create, head, patch } = await build(t, { authorize })
  const mine = await create(3)
  const other = await create(3)
  asked.length = 0
  await head(`${mine}?upload=${other}&x=/${path.basename(other)}`)
  await patch(`${mine}?x=/${path.basename(other)}`, 0, 'abc', { referer: other, 'x-original-url': other })
  t.same(asked, [`inspect ${path.basename(mine)} 0/3`, `append ${path.basename(mine)} 0/3`])
  t.equal((await head(other)).headers['upload-offset'], '0')
})

t.test('authorize is not called without an upload or an operation to authorize', async (t) => {
  const { asked, authorize } = record()
  const { app, head, patch, request } = await build(t, { authorize })
  t.equal((await head('/files/nothing')).statusCode, 404)
  t.equal((await patch('/files/nothing', 0, 'abc')).statusCode, 404)
  t.equal((await request('DELETE', '/files/not.json')).statusCode, 404)
  t.equal((await request('PUT', '/files/nothing')).statusCode, 405)
  t.equal((await app.inject({ method: 'OPTIONS', url: '/files' })).statusCode, 204)
  t.equal((await app.inject({ method: 'POST', url: '/files', headers: { 'upload-length': '3' } })).statusCode, 412)
  t.same(asked, [])
})

const refusals: Array<[name: string, refuse: () => unknown, status: number, body: object]> = [
  ['throws a 401', () => { throw Object.assign(new Error('who are you?'), { statusCode: 401 }) }, 401,
    { message: 'who are you?' }],
  ['rejects with a 403', () => Promise.reject(Object.assign(new Error('not yours'), { statusCode: 403 })), 403,
    { message: 'not yours' }],
  ['returns false', () => false, 403, { code: 'FST_TUS_FORBIDDEN', message: 'Forbidden' }],
  ['resolves with false', async () => false, 403, { code: 'FST_TUS_FORBIDDEN' }]
]
for (const [name, refuse, status, body] of refusals) {
  t.test(`nothing happens if authorize ${name}`, async (t) => {
    let refusing = false
    const authorize = () => (refusing ? refuse() : undefined) as undefined
    const { app, directory, post, create, patch, head, request, stored } = await build(t, { authorize })
    const location = await create(6)
    await patch(location, 0, 'abc')
    const complete = await create(0)
    const files = await readdir(directory)
    refusing = true
    const responses = [
      await post({ 'upload-length': '3' }),
      await post({ 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }, 'abc'),
      await patch(location, 3, 'def'),
      await request('DELETE', location),
      await app.inject(complete)
    ]
    for (const reply of responses) {
      t.equal(reply.statusCode, status)
      t.match(reply.json(), body)
    }
    const versions = responses.map(({ headers }) => headers['tus-resumable'])
    t.same(versions, ['1.0.0', '1.0.0', '1.0.0', '1.0.0', undefined], 'a download is plain HTTP')
    const inspected = await head(location)
    t.equal(inspected.statusCode, status)
    t.notOk('upload-offset' in inspected.headers)
    t.same(await readdir(directory), files)
    t.equal((await stored(location)).toString(), 'abc')
  })
}

t.test('an authorize that fails unexpectedly refuses the request without giving the reason', async (t) => {
  const noError = Object.assign(new Error('10.0.0.7'), { statusCode: 200 })
  for (const thrown of [new Error('no connection to 10.0.0.7'), noError, null]) {
    const { directory, post } = await build(t, { authorize: () => { throw thrown } })
    const reply = await post({ 'upload-length': '3' })
    t.equal(reply.statusCode, 500)
    t.match(reply.json(), { code: 'FST_TUS_HOOK_FAILED', message: 'Upload processing failed' })
    t.notMatch(reply.body, '10.0.0.7')
    t.same(await readdir(directory), [])
  }
})

t.test('LOCK-02 a refused request does not end a body that is being received', async (t) => {
  const authorize = (request: { headers: { authorization?: string | undefined } }) =>
    request.headers.authorization !== 'eve'
  const { create, stall, untilStored, head, patch, request, stored } = await build(t, { authorize })
  const location = await create(6)
  const { socket, response } = await stall(location, 0, 6, 'abc')
  await untilStored(location, 3)
  const eve = { authorization: 'eve' }
  t.equal((await head(location, eve)).statusCode, 403)
  t.equal((await patch(location, 3, 'xyz', eve)).statusCode, 403)
  t.equal((await request('DELETE', location, eve)).statusCode, 403)
  socket.write('def')
  t.match(await response, { status: 204, headers: { 'upload-offset': '6' } })
  t.equal((await stored(location)).toString(), 'abcdef')
})
