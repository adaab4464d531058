import t from 'tap'
import { until } from '../helper.ts'
import { rig } from './growing-rig.ts'

/** The shortest image that file-type recognizes, and text up to any length. */
const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const png = (length: number) => Buffer.concat([PNG, Buffer.alloc(length - PNG.length)])

t.test('bytes are sent once allowedTypes has accepted the first ones', async (t) => {
  const { create, patch, read } = await rig(t, { allowedTypes: ['image/png'] })
  const url = await create(6000)
  const bytes = png(6000)
  const [reader, tail, witness] = [await read(url), await read(`${url}?from=4000`), await events(read, url)]
  await patch(url, 0, bytes.subarray(0, 4050))
  await witness(4050)
  t.equal(reader.received().length, 0, 'too few to detect a type')
  t.equal(tail.received().length, 0)
  await patch(url, 4050, bytes.subarray(4050, 5000))
  await reader.has(5000)
  await tail.has(1000)
  await patch(url, 5000, bytes.subarray(5000))
  t.ok((await reader.all).equals(bytes))
  t.ok((await tail.all).equals(bytes.subarray(4000)))
})

t.test('no byte of an upload that allowedTypes refuses is sent', async (t) => {
  const { create, patch, read } = await rig(t, { allowedTypes: ['image/png'] })
  for (const length of [10, 6000]) {
    const url = await create(length)
    const [reader, witness] = [await read(url), await events(read, url)]
    await patch(url, 0, 'alert(1)')
    await witness(8)
    t.equal((await patch(url, 8, 'x'.repeat(length - 8))).statusCode, 415)
    await t.rejects(reader.all)
    t.equal(reader.received().length, 0)
  }
})

t.test('no byte of a short upload is sent before its finish hook has run', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { create, patch, read } = await rig(t, { allowedTypes: ['image/png'], onUploadFinish: () => released })
  const url = await create(100)
  const [reader, witness] = [await read(url), await events(read, url)]
  const patched = patch(url, 0, png(100))
  await witness(100)
  t.equal(reader.received().length, 0)
  release()
  t.equal((await patched).statusCode, 204)
  t.ok((await reader.all).equals(png(100)))
})

t.test('no byte of a final upload is sent before its type is accepted', async (t) => {
  const { create, patch, post, read } = await rig(t, { allowedTypes: ['image/png'] })
  const part = await create(6000, { 'upload-concat': 'partial' })
  const { headers } = await post({ 'upload-concat': `final;${part}` })
  const reader = await read(String(headers.location))
  await patch(part, 0, 'x'.repeat(6000))
  await t.rejects(reader.all)
  t.equal(reader.received().length, 0)
})

/** Resolves with a function that waits until followers of an upload have seen an offset. */
async function events (read: Awaited<ReturnType<typeof rig>>['read'], url: string) {
  const stream = await read(url, { accept: 'text/event-stream' })
  return async (offset: number) => {
    await until(() => stream.received().toString().includes(`"offset":${offset}`))
  }
}
