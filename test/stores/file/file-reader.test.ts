import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { FileReader, LargePieces } from '../../../plugin/stores/file/file-reader.ts'
import { fileSystem, type OpenFile } from '../../../plugin/stores/file/file-system/file-system.ts'
import { sampleBytes, temporaryDirectory, until } from '../../helper.ts'

const KIB = 1024
const MIB = 1024 * KIB

/** A file, and how often it was read and closed. */
async function fileOf (t: Test, bytes: Buffer) {
  const name = path.join(await temporaryDirectory(t), 'a')
  await writeFile(name, bytes)
  const file = {
    reads: [] as Buffer[],
    closed: 0,
    open: async (): Promise<OpenFile> => {
      const opened = await fileSystem.open(name, 'r')
      return Object.assign(Object.create(opened) as OpenFile, {
        read: async (into: Buffer, position: number) => {
          file.reads.push(into)
          return await opened.read(into, position)
        },
        close: async () => {
          file.closed++
          await opened.close()
        }
      })
    }
  }
  return file
}

/** Takes all bytes piece by piece, and is done with each before the next. */
async function take (reader: FileReader, expected: Buffer): Promise<{ pieces: number[], isRight: boolean }> {
  const pieces: number[] = []
  let position = 0
  let isRight = true
  for await (const piece of reader as AsyncIterable<Buffer>) {
    isRight &&= piece.equals(expected.subarray(position, position += piece.length))
    pieces.push(piece.length)
  }
  return { pieces, isRight: isRight && position === expected.length }
}

t.test('a file, a range of it, and an empty file are read, and closed at the end', async (t) => {
  const bytes = sampleBytes(200_000)
  const file = await fileOf(t, bytes)
  t.ok((await buffer(new FileReader(file.open, new LargePieces()))).equals(bytes))
  const range = await buffer(new FileReader(file.open, new LargePieces(), { start: 1, end: 150_000 }))
  t.ok(range.equals(bytes.subarray(1, 150_001)))
  t.equal((await buffer(new FileReader((await fileOf(t, Buffer.alloc(0))).open, new LargePieces()))).length, 0)
  await until(() => file.closed === 2)
})

t.test('a range ends with the file, if that is shorter', async (t) => {
  const file = await fileOf(t, sampleBytes(10))
  t.equal((await buffer(new FileReader(file.open, new LargePieces(), { start: 4, end: 99 }))).length, 6)
})

t.test('each piece has a buffer of its own unless the consumer says that it is done', async (t) => {
  const bytes = sampleBytes(6 * MIB)
  for (const isDone of [undefined, () => false]) {
    const file = await fileOf(t, bytes)
    const reader = new FileReader(file.open, new LargePieces())
    if (isDone !== undefined) reader.reuseBuffer(isDone)
    t.ok((await buffer(reader)).equals(bytes))
    t.equal(new Set(file.reads.map(({ buffer }) => buffer)).size, file.reads.length)
  }
})

t.test('a consumer that is done with each piece gets two buffers, and large pieces after 4 MiB', async (t) => {
  const bytes = sampleBytes(6 * MIB)
  const file = await fileOf(t, bytes)
  const reader = new FileReader(file.open, new LargePieces(), { start: 10, end: bytes.length - 1 })
  reader.reuseBuffer(() => true)
  const { pieces, isRight } = await take(reader, bytes.subarray(10))
  t.ok(isRight)
  t.same(pieces, [...Array<number>(64).fill(64 * KIB), ...Array<number>(3).fill(512 * KIB), 512 * KIB - 10])
  t.equal(new Set(file.reads.map(({ buffer }) => buffer)).size, 2)
})

t.test('a buffer is not reused while its bytes are not taken, nor after the reuse has ended', async (t) => {
  const bytes = sampleBytes(400 * KIB)
  const file = await fileOf(t, bytes)
  const reader = new FileReader(file.open, new LargePieces())
  reader.reuseBuffer(() => true)
  reader.read(0)
  await until(() => reader.readableLength === 64 * KIB)
  // A consumer may ask for more before it takes what there is.
  reader._read()
  await until(() => reader.readableLength === 128 * KIB)
  t.not(file.reads[0]?.buffer, file.reads[1]?.buffer)
  reader.reuseBuffer(undefined)
  t.ok((await buffer(reader)).equals(bytes))
  t.equal(new Set(file.reads.map(({ buffer }) => buffer)).size, file.reads.length)
})

t.test('a store has 32 readers with large pieces at a time', async (t) => {
  const bytes = sampleBytes(5 * MIB)
  const file = await fileOf(t, bytes)
  const large = new LargePieces()
  const piecesOf = async () => {
    const reader = new FileReader(file.open, large)
    reader.reuseBuffer(() => true)
    return Math.max(...(await take(reader, bytes)).pieces)
  }
  for (let i = 0; i < 31; i++) large.take()
  t.equal(await piecesOf(), 512 * KIB)
  t.equal(await piecesOf(), 512 * KIB, 'a closed reader has given them back')
  large.take()
  t.equal(await piecesOf(), 64 * KIB)
})

t.test('a reader that is destroyed during a read closes its file once the read has ended', async (t) => {
  let finish = (_bytes: number): void => {}
  let closed = 0
  const open = async () => ({
    read: async () => await new Promise<number>((resolve) => { finish = resolve }),
    close: async () => { closed++ }
  }) as Partial<OpenFile> as OpenFile
  const reader = new FileReader(open, new LargePieces())
  reader.read(0)
  await setImmediate()
  reader.destroy()
  await setImmediate()
  t.equal(closed, 0)
  finish(10)
  await until(() => closed === 1)
  t.ok(reader.closed)

  const unread = new FileReader(open, new LargePieces())
  unread.destroy()
  await until(() => unread.closed)
  t.equal(closed, 1, 'a file that was never opened is not closed')
})

t.test('errors of open, read and close destroy the reader', async (t) => {
  const fail = async () => { throw new Error('EIO') }
  await t.rejects(buffer(new FileReader(fail, new LargePieces())), { message: 'EIO' })
  let closed = 0
  const unreadable = { read: fail, close: async () => { closed++ } } as Partial<OpenFile> as OpenFile
  await t.rejects(buffer(new FileReader(async () => unreadable, new LargePieces())), { message: 'EIO' })
  t.equal(closed, 1)
  const unclosable = { read: async () => 0, close: fail } as Partial<OpenFile> as OpenFile
  const reader = new FileReader(async () => unclosable, new LargePieces())
  const errors: Error[] = []
  reader.on('error', (error) => errors.push(error)).resume()
  await until(() => errors.length === 1)
})
