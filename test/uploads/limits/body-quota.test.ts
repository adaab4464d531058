import { readdir } from 'node:fs/promises'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'

const octets = { 'content-type': OFFSET_OCTET_STREAM }
/** A header identifies the client here; real apps need something safer. */
const key = ({ headers }: FastifyRequest) => headers['x-user'] as string

t.test('EDGE-40 no client sends more concurrent bodies than perClient.maxBodies', async (t) => {
  const perClient = { key, maxBodies: 2 }
  const { post, create, stall, untilStored, patch, head, directory } = await build(t, { perClient })
  const ann = { 'x-user': 'ann' }
  const uploads = [await create(6), await create(6), await create(6)] as [string, string, string]
  for (const upload of uploads.slice(0, 2)) {
    await stall(upload, 0, 6, 'abc', ann)
    await untilStored(upload, 3)
  }
  const refused = await patch(uploads[2], 0, 'abc', ann)
  t.equal(refused.statusCode, 503)
  t.equal(refused.headers['retry-after'], '1')
  t.match(refused.json(), { code: 'FST_TUS_TOO_MANY_BODIES' })
  t.equal((await post({ 'upload-length': '3', ...octets, ...ann }, 'abc')).statusCode, 503)
  t.equal((await readdir(directory)).length, 6, 'no upload is created')
  t.equal((await patch(uploads[2], 0, 'abc', { 'x-user': 'bob' })).statusCode, 204)

  t.equal((await head(uploads[0], ann)).headers['upload-offset'], '3', 'the dead connection is displaced')
  t.equal((await patch(uploads[0], 3, 'def', ann)).statusCode, 204, 'and does not count')
})
