/** W7: many open uploads that receive hardly any bytes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Work } from '../bench.ts'
import { bytesFor, expectStored, KIB, MIB } from '../bytes.ts'
import { Connection } from '../connection.ts'
import { residentOf } from '../process.ts'
import { type Figures, type Metric, summarize } from '../figures.ts'
import type { ServerProcess } from '../server-process.ts'
import { create, expectOffset, idOf, patchHead } from '../tus.ts'
import { freshInTurns } from '../turns.ts'

const metrics: Metric[] = [
  { name: 'memory', unit: 'KiB of memory per open upload', digits: 1, compared: true },
  { name: 'before', unit: 'RSS before, MiB', digits: 0 },
  { name: 'peak', unit: 'peak RSS MiB', digits: 0 }
]

/** The length of each upload, in bytes. */
const LENGTH = 64 * KIB
/** The number of bytes that each upload receives before memory is sampled, one at a time. */
const BYTES = 3
/** The interval between these bytes, in ms. */
const NOW_AND_THEN = 100
/** The number of memory samples; the figure is their median. */
const SAMPLES = 5
/** The interval between samples, in ms. */
const PAUSE = 50

export const w7: Work = {
  id: 'W7',
  run: async (bench) => {
    const count = bench.quick ? 100 : 1000
    const subject = { title: `${count} open uploads, each receiving a byte now and then`, metrics }
    return [await freshInTurns(bench, subject, bench.peers, async (server) => {
      // A warm-up: code and pools of the first uploads are not counted.
      await measureOpen(server, count / 10)
      return await measureOpen(server, count)
    })]
  }
}

interface OpenUpload {
  connection: Connection
  path: string
  bytes: Buffer
  answered: ReturnType<Connection['ask']>
}

async function measureOpen (server: ServerProcess, count: number): Promise<Figures> {
  const paths = await createAll(server, count)
  const before = await settledMemory(server)
  const uploads = await openAll(server, paths)
  for (let at = 1; at < BYTES; at++) {
    await sleep(NOW_AND_THEN)
    for (const { connection, bytes } of uploads) connection.more(bytes.subarray(at, at + 1))
  }
  await sleep(NOW_AND_THEN)
  const during = await settledMemory(server)
  await finishAll(server, uploads)
  return { memory: (during - before) / count / KIB, before: before / MIB, peak: server.peak / MIB }
}

async function createAll (server: ServerProcess, count: number): Promise<string[]> {
  const connection = await Connection.open(server.port)
  const paths = []
  for (let i = 0; i < count; i++) paths.push(await create(connection, server.peer.path, LENGTH))
  connection.close()
  return paths
}

async function openAll (server: ServerProcess, paths: string[]): Promise<OpenUpload[]> {
  const uploads = []
  for (const [number, path] of paths.entries()) {
    const bytes = bytesFor(number, LENGTH)
    const connection = await Connection.open(server.port, KIB)
    const answered = connection.ask({ head: patchHead(path, 0, LENGTH), body: bytes.subarray(0, 1) })
    // Awaited once all uploads are open.
    answered.catch(() => {})
    uploads.push({ connection, path, bytes, answered })
  }
  return uploads
}

async function finishAll (server: ServerProcess, uploads: OpenUpload[]): Promise<void> {
  for (const { connection, bytes } of uploads) connection.more(bytes.subarray(BYTES))
  for (const { connection, path, bytes, answered } of uploads) {
    expectOffset(await answered, 204, LENGTH, 'PATCH')
    connection.close()
    expectStored(server.peer.layout.fileOf?.(server.directory, idOf(path)) ?? '', bytes)
  }
}

/** Resident memory, after garbage collection if the server supports it. */
async function settledMemory (server: ServerProcess): Promise<number> {
  await server.rests()
  if (server.peer.isNode) await server.ask('collect')
  const samples = []
  for (let i = 0; i < SAMPLES; i++) {
    await sleep(PAUSE)
    samples.push(residentOf(server.pid))
  }
  return summarize(samples).median
}
