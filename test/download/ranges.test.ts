import http from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { build, sampleBytes } from '../helper.ts'
import type { Capability } from '../../plugin/index.ts'
import { ForeignStore } from '../foreign-store.ts'
import { finished } from './files.ts'

t.test('EDGE-83: a range request gets its bytes, and nothing else', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const [range, bytes, start] of [
    ['bytes=0-0', 'a', 0], ['bytes=2-3', 'cd', 2], ['bytes=4-', 'ef', 4], ['bytes=0-', 'abcdef', 0],
    ['bytes=-2', 'ef', 4], ['bytes=-100', 'abcdef', 0], ['bytes=5-99', 'f', 5], ['BYTES=2-3', 'cd', 2],
    ['bytes=4-99999999999999999999999999', 'ef', 4]
  ] as const) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 206, range)
    t.equal(response.body, bytes, range)
    t.match(response.headers, {
      'content-range': `bytes ${start}-${start + bytes.length - 1}/6`,
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes'
    }, range)
  }
})

t.test('EDGE-83: a range that begins after the end is refused, with the size', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const range of ['bytes=6-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999999999-']) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 416, range)
    t.equal(response.headers['content-range'], 'bytes */6', range)
    t.match(response.json(), { code: 'FST_TUS_RANGE' }, range)
  }
})

t.test('EDGE-83: for an invalid range, another unit or several ranges, the response is the file', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  for (const range of [
    'bytes=3-2', 'bytes=b-a', 'bytes', 'bytes=', 'bytes=-', 'bytes=--1', 'bytes=1-2-3', 'lines=1-2', 'bytes=0-0,2-3'
  ]) {
    const response = await built.app.inject({ url, headers: { range } })
    t.equal(response.statusCode, 200, range)
    t.equal(response.body, 'abcdef', range)
    t.notOk('content-range' in response.headers, range)
  }
})

t.test('an empty upload is served empty, and has no first byte', async (t) => {
  const built = await build(t)
  const url = await finished(built, '')
  for (const headers of [{}, { range: 'bytes=-5' }]) {
    const response = await built.app.inject({ url, headers })
    t.equal(response.statusCode, 200)
    t.equal(response.headers['content-length'], '0')
    t.equal(response.body, '')
  }
  const response = await built.app.inject({ url, headers: { range: 'bytes=0-' } })
  t.equal(response.statusCode, 416)
  t.equal(response.headers['content-range'], 'bytes */0')
})

t.test('random ranges are the bytes of the file', async (t) => {
  const count = Number(process.env.RANGES || 1000)
  const built = await build(t)
  const bytes = sampleBytes(3_000_017)
  const url = `${await built.listen()}${await finished(built, bytes)}`
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 })
  t.teardown(() => agent.destroy())
  let wrong = 0
  const ask = async () => {
    const start = Math.floor(Math.random() * bytes.length)
    const end = Math.min(bytes.length - 1, start + Math.floor(Math.random() ** 4 * 300_000))
    const response = await get(url, { range: `bytes=${start}-${end}` }, agent)
    const isRight = response.status === 206 && response.body.equals(bytes.subarray(start, end + 1)) &&
      response.headers['content-range'] === `bytes ${start}-${end}/${bytes.length}`
    if (!isRight) {
      wrong++
      t.comment(`wrong: ${start}-${end}`)
    }
  }
  for (let asked = 0; asked < count; asked += 8) await Promise.all(Array.from({ length: 8 }, ask))
  t.equal(wrong, 0)
})

t.test('a store may return a range in pieces, and too few bytes are an error', async (t) => {
  let less = 0
  class RangeStore extends ForeignStore {
    readonly capabilities = new Set<Capability>(['creation', 'read', 'ranges'])
    read (id: string, { start, end } = { start: 0, end: Infinity }): Readable {
      return Readable.from([...this.bytesOf(id).subarray(start, end + 1 - less)].map((byte) => Buffer.from([byte])))
    }
  }
  const datastore = new RangeStore()
  await datastore.create({ id: 'made-elsewhere', size: 6, offset: 0 })
  const { app, patch } = await build(t, { datastore })
  await patch('/files/made-elsewhere', 0, 'abcdef')
  const ask = (range: string) => app.inject({ url: '/files/made-elsewhere', headers: { range } })
  t.equal((await ask('bytes=1-4')).body, 'bcde')
  for (less of [1, 4]) t.equal((await ask('bytes=1-4')).statusCode, 500)
})

async function get (url: string, headers: http.OutgoingHttpHeaders, agent: http.Agent) {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    http.get(url, { headers, agent }, resolve).on('error', reject)
  })
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) }
}
