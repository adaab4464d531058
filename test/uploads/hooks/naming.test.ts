import { readdir } from 'node:fs/promises'
import t from 'tap'
import { build } from '../../helper.ts'

t.test('namingFunction returns the id, given the request and the metadata', async (t) => {
  const { post, patch, stored } = await build(t, {
    namingFunction: async (request, metadata) => `${String(request.headers['x-user'])}-${metadata['name']}`
  })
  const { headers } = await post({ 'upload-length': '3', 'upload-metadata': 'name Yi5wbmc=', 'x-user': 'ann' })
  t.equal(headers.location, '/files/ann-b.png')
  t.equal((await patch('/files/ann-b.png', 0, 'abc')).statusCode, 204)
  t.equal((await stored('/files/ann-b.png')).toString(), 'abc')
})

t.test('an invalid id is refused and logged, and no upload is created', async (t) => {
  const longest = 'a'.repeat(100)
  const bad = [
    '', '.', '..', '../up', 'a/b', 'a\\b', '/a', '.hidden', 'a b', 'a\0', 'ä', 'a%2f', 'a.json', 'a.JSON', 'a.tmp',
    'a.info', 'a.lock', `${longest}a`, 7, undefined, null, ['a']
  ]
  let id: unknown = longest
  const { directory, logs, post } = await build(t, { namingFunction: () => id as string })
  t.equal((await post({ 'upload-length': '3' })).headers.location, `/files/${longest}`)
  const files = await readdir(directory)
  for (id of bad) {
    const reply = await post({ 'upload-length': '3' })
    t.equal(reply.statusCode, 500, JSON.stringify(id))
    t.equal(reply.json().code, 'FST_TUS_INVALID_ID')
    t.match(logs.find(({ msg }) => msg.startsWith('namingFunction must return')), { level: 50 })
    logs.length = 0
  }
  t.same(await readdir(directory), files)
})

t.test('the refusal of a namingFunction is sent, and an unexpected failure is not disclosed', async (t) => {
  const directory = t.testdir()
  let error: Error = Object.assign(new Error('a name, please'), { statusCode: 400 })
  const { post } = await build(t, { directory, namingFunction: () => { throw error } })
  const refused = await post({ 'upload-length': '3' })
  t.equal(refused.statusCode, 400)
  t.equal(refused.json().message, 'a name, please')
  error = new Error('no connection')
  const failed = await post({ 'upload-length': '3' })
  t.equal(failed.statusCode, 500)
  t.equal(failed.json().code, 'FST_TUS_HOOK_FAILED')
  t.notMatch(failed.body, 'no connection')
  t.same(await readdir(directory), [])
})

t.test('EDGE-28 an id that exists is refused, and nothing is overwritten', async (t) => {
  const { post, patch, head, stored } = await build(t, { namingFunction: () => 'taken' })
  await post({ 'upload-length': '3', 'upload-metadata': 'name YQ==' })
  await patch('/files/taken', 0, 'abc')
  for (const length of ['5', '0']) {
    const again = await post({ 'upload-length': length, 'upload-metadata': 'name Yg==' })
    t.equal(again.statusCode, 409)
    t.equal(again.json().code, 'FST_TUS_EXISTS')
    t.notOk('location' in again.headers)
  }
  const { headers } = await head('/files/taken')
  t.match(headers, { 'upload-offset': '3', 'upload-length': '3', 'upload-metadata': 'name YQ==' })
  t.equal((await stored('/files/taken')).toString(), 'abc')
})

t.test('EDGE-28 a creation with an existing id does not end a body that is being received', async (t) => {
  const { post, stall, untilStored } = await build(t, { namingFunction: () => 'taken' })
  await post({ 'upload-length': '6' })
  const { socket, response } = await stall('/files/taken', 0, 6, 'abc')
  await untilStored('/files/taken', 3)
  t.equal((await post({ 'upload-length': '6' })).statusCode, 409)
  socket.write('def')
  t.equal((await response).status, 204)
})
