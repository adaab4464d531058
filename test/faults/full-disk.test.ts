/** EDGE-45, PATCH-11: a disk that fills up. A real one, a small tmpfs; skipped if mounting is not allowed. */
import t from 'tap'
import { build, OFFSET_OCTET_STREAM, sampleBytes } from '../helper.ts'
import { isClear, MIB, mount, strays, withMount } from './refusals.ts'

const keeps = 'EDGE-45 a full disk is a 507, the bytes that fit are kept, and the upload can be resumed later'
t.test(keeps, withMount, async (t) => {
  const disk = mount(t, 'size=1m')
  const { directory } = disk
  const { create, patch, head, post, stored } = await build(t, { directory })
  const bytes = sampleBytes(3 * MIB)
  const other = await create(1000)
  t.equal((await patch(other, 0, bytes.subarray(0, 600))).statusCode, 204)
  const location = await create(bytes.length)

  const refused = await patch(location, 0, bytes)
  isClear(t, refused, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  const { headers } = await head(location)
  const offset = Number(headers['upload-offset'])
  t.ok(offset > MIB / 2 && offset < MIB, `${offset} bytes fit`)
  t.equal(refused.headers['upload-offset'], String(offset), 'as in the response')
  t.ok((await stored(location)).equals(bytes.subarray(0, offset)))

  isClear(t, await post({ 'upload-length': '10' }), 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  const withBody = await post({ 'upload-length': '10', 'content-type': OFFSET_OCTET_STREAM }, 'abc')
  isClear(t, withBody, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, [other, location]), [], 'no incomplete files are left')
  t.equal((await head(other)).headers['upload-offset'], '600')
  t.ok((await stored(other)).equals(bytes.subarray(0, 600)), 'the other upload is unchanged')

  disk.remount('size=8m')
  t.equal((await patch(location, offset, bytes.subarray(offset))).statusCode, 204)
  t.ok((await stored(location)).equals(bytes))
  t.equal((await patch(other, 600, bytes.subarray(600, 1000))).statusCode, 204)
  t.ok((await stored(other)).equals(bytes.subarray(0, 1000)))
})

t.test('EDGE-45 a full disk during a checksummed body, and during a concatenation', withMount, async (t) => {
  const disk = mount(t, 'size=1m')
  const { directory } = disk
  const { create, patch, head, post, stored } = await build(t, { directory })
  const bytes = sampleBytes(2 * MIB)
  const partial = { 'upload-concat': 'partial' }
  const parts = [await create(400_000, partial), await create(400_000, partial)] as [string, string]
  for (const part of parts) t.equal((await patch(part, 0, bytes.subarray(0, 400_000))).statusCode, 204)
  const location = await create(bytes.length)

  isClear(t, await post({ 'upload-concat': `final;${parts.join(' ')}` }), 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, [...parts, location]), [], 'no incomplete files are left')
  // The right digest does not matter: it is never verified.
  const checked = await patch(location, 0, bytes, { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })
  isClear(t, checked, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.equal((await head(location)).headers['upload-offset'], '0', 'unverified bytes do not count')
  t.same(await strays(directory, [...parts, location]), [])

  disk.remount('size=8m')
  const final = await post({ 'upload-concat': `final;${parts.join(' ')}` })
  t.equal(final.statusCode, 201)
  t.equal((await stored(final.headers.location as string)).length, 800_000)
  t.equal((await patch(location, 0, bytes)).statusCode, 204)
  t.ok((await stored(location)).equals(bytes))
})

t.test('EDGE-45 a disk without a free inode refuses creations, and nothing else', withMount, async (t) => {
  const disk = mount(t, 'size=8m,nr_inodes=9')
  const { directory } = disk
  const { create, patch, post, request, stored } = await build(t, { directory })
  const made: string[] = []
  let refused = await post({ 'upload-length': '3' })
  while (refused.statusCode === 201) {
    made.push(refused.headers.location as string)
    refused = await post({ 'upload-length': '3' })
  }
  isClear(t, refused, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.same(await strays(directory, made), [])
  t.equal((await patch(made[0] as string, 0, 'abc')).statusCode, 204)
  t.equal((await stored(made[0] as string)).toString(), 'abc')
  t.equal((await request('DELETE', made.pop() as string)).statusCode, 204)
  made.push(await create(3))
  t.same(await strays(directory, made), [])
})
