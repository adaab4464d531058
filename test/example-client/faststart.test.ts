import t from 'tap'
import { faststart, findLayout, readBoxes } from '../../example-client/src/edit/faststart.ts'

function box (type: string, ...content: (Uint8Array | number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.concat(content.map(part => Uint8Array.from(part)))
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.length + 8)
  head.write(type, 4, 'latin1')
  return Uint8Array.from(Buffer.concat([head, bytes]))
}

function longBox (type: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1)
  head.write(type, 4, 'latin1')
  head.writeBigUInt64BE(BigInt(content.length + 16), 8)
  return Uint8Array.from(Buffer.concat([head, content]))
}

function table (type: 'stco' | 'co64', offsets: number[]): Uint8Array {
  const width = type === 'stco' ? 4 : 8
  const bytes = Buffer.alloc(8 + offsets.length * width)
  bytes.writeUInt32BE(offsets.length, 4)
  offsets.forEach((offset, index) => width === 4
    ? bytes.writeUInt32BE(offset, 8 + index * 4)
    : bytes.writeBigUInt64BE(BigInt(offset), 8 + index * 8))
  return box(type, bytes)
}

const moovOf = (...tables: Uint8Array[]) =>
  box('moov', box('mvhd', [1]), ...tables.map(each => box('trak', box('mdia', box('minf', box('stbl', each))))))
const ftyp = box('ftyp', Buffer.from('isom'))
const media = Buffer.from('video and sound')

/** The media data that the tables of a file point to: a letter per offset. */
async function pointedAt (file: Blob): Promise<string> {
  const bytes = Buffer.from(await file.arrayBuffer())
  let letters = ''
  for (const [type, width] of [['stco', 4], ['co64', 8]] as const) {
    const at = bytes.indexOf(type, 0, 'latin1')
    if (at < 0) continue
    for (let index = 0; index < bytes.readUInt32BE(at + 8); index++) {
      const place = at + 12 + index * width
      const offset = width === 4 ? bytes.readUInt32BE(place) : Number(bytes.readBigUInt64BE(place))
      letters += String.fromCharCode(bytes[offset] ?? 0)
    }
  }
  return letters
}

t.test('the index moves to the front and still points to the same media data', async t => {
  const start = ftyp.length + 8
  const moov = moovOf(table('stco', [start, start + 6]), table('co64', [start + 10]))
  const file = new Blob([ftyp, box('mdat', media), moov, box('free')], { type: 'video/mp4' })
  t.equal(await findLayout(file), 'end')
  t.equal(await pointedAt(file), 'vas')
  const moved = await faststart(file) as Blob
  t.equal(moved.size, file.size)
  t.equal(moved.type, 'video/mp4')
  t.same((await readBoxes(moved)).map(({ type }) => type), ['ftyp', 'moov', 'mdat', 'free'])
  t.equal(await findLayout(moved), 'front')
  t.equal(await pointedAt(moved), 'vas')
})

t.test('media data with a 64-bit length moves', async t => {
  const file = new Blob([ftyp, longBox('mdat', media), moovOf(table('stco', [ftyp.length + 16]))])
  const moved = await faststart(file) as Blob
  t.equal(await pointedAt(moved), 'v')
})

t.test('offsets after the index stay', async t => {
  const first = box('mdat', media)
  const moovLength = moovOf(table('stco', [0, 0])).length
  const behind = ftyp.length + first.length + moovLength + 8
  const moov = moovOf(table('stco', [ftyp.length + 8, behind]))
  const file = new Blob([ftyp, first, moov, box('mdat', Buffer.from('zzz'))])
  t.equal(await pointedAt(file), 'vz')
  t.equal(await pointedAt(await faststart(file) as Blob), 'vz')
})

t.test('there is no new file if there is nothing to move or moving is not safe', async t => {
  const data = box('mdat', media)
  const compressed = box('moov', box('cmov', [1]))
  const files: [string, Blob][] = [
    ['an index in front', new Blob([ftyp, moovOf(table('stco', [1])), data])],
    ['no index', new Blob([ftyp, data])],
    ['a compressed index', new Blob([ftyp, data, compressed])],
    ['a broken index', new Blob([ftyp, data, box('moov', [0, 0, 0, 99, 1, 2, 3, 4])])],
    ['a length that is cut off', new Blob([Uint8Array.from([0, 0, 0, 1, ...Buffer.from('ftyp')])])],
    ['no mp4', new Blob(['just some text that is long enough'])],
    ['nothing', new Blob([])]
  ]
  for (const [what, file] of files) {
    t.equal(await faststart(file), null, what)
  }
})

t.test('an offset that would need more than 32 bits is not moved', async t => {
  const head = Buffer.concat([ftyp, longBox('mdat', Buffer.alloc(0))])
  const moov = moovOf(table('stco', [0xffffffff]))
  const mediaEnd = 5 * 1024 ** 3
  head.writeBigUInt64BE(BigInt(mediaEnd - ftyp.length), ftyp.length + 8)
  // 5 GiB, of which only the two ends are read.
  const file = {
    size: mediaEnd + moov.length,
    slice: (start: number, end: number) => start < mediaEnd
      ? new Blob([head]).slice(start, end)
      : new Blob([moov]).slice(start - mediaEnd, end - mediaEnd)
  } as Blob
  t.equal(await findLayout(file), 'end')
  t.equal(await faststart(file), null)
})

t.test('the last box may extend to the end of the file', async t => {
  const open = box('mdat', media)
  new DataView(open.buffer).setUint32(0, 0)
  t.equal(await findLayout(new Blob([ftyp, moovOf(), open])), 'front')
})

t.test('the layout shows whether a player can start early', async t => {
  const data = box('mdat', media)
  t.equal(await findLayout(new Blob([ftyp, moovOf(), data])), 'front')
  t.equal(await findLayout(new Blob([ftyp, moovOf(), box('moof'), data])), 'fragmented')
  t.equal(await findLayout(new Blob([ftyp, data])), 'none')
  t.equal(await findLayout(new Blob(['no mp4 at all'])), 'none')
})

t.test('only the headers and the index of a large file are read', async t => {
  let read = 0
  const count = (blob: Blob): Blob => new Proxy(blob, {
    get (target, key) {
      if (key === 'slice') {
        return (start: number, end?: number) => {
          const part = target.slice(start, end)
          return new Proxy(part, {
            get: (inner, name) => name === 'arrayBuffer'
              ? () => { read += inner.size; return inner.arrayBuffer() }
              : Reflect.get(inner, name, inner)
          })
        }
      }
      return Reflect.get(target, key, target)
    }
  })
  await findLayout(count(new Blob([ftyp, box('mdat', Buffer.alloc(1024 * 1024)), moovOf()])))
  t.ok(read < 100, `${read} bytes`)
})
