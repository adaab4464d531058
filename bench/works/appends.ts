/** W1 to W3: uploads by PATCH, with a few large or many small bodies. */
import { rm } from 'node:fs/promises'
import type { Bench, Work } from '../bench.ts'
import { bytesFor, expectStored, GIB, KIB, MIB } from '../bytes.ts'
import { Connection } from '../connection.ts'
import { isWriter, ours, oursTwice, type Peer, receiver, writer } from '../peers.ts'
import type { Case, Figures, Metric } from '../figures.ts'
import { type ServerProcess, type Spent, withServers } from '../server-process.ts'
import { create, idOf, send } from '../tus.ts'
import { keptInTurns } from '../turns.ts'

export interface Shape {
  /** The number of parallel uploads, each on its own connection. */
  uploads: number
  /** The size of each upload, in bytes. */
  size: number
  /** The size of each PATCH, in bytes. */
  body: number
  /** The number of repetitions: CPU time is counted in hundredths of a second. */
  times: number
}

export const appendMetrics: Metric[] = [
  { name: 'cpu', unit: 'CPU s/GiB', digits: 2, compared: true },
  { name: 'user', unit: 'user', digits: 2 },
  { name: 'system', unit: 'system', digits: 2 },
  { name: 'wall', unit: 'wall s/GiB', digits: 2, compared: true },
  { name: 'peak', unit: 'peak RSS MiB', digits: 0 }
]

export const w1: Work = {
  id: 'W1',
  run: async (bench) => {
    const shape = { uploads: 1, size: (bench.quick ? 64 : 256) * MIB, body: 256 * MIB, times: bench.quick ? 1 : 2 }
    return [await appends(bench, 'one PATCH of 256 MiB', shape, [receiver, writer(shape.size), ...bench.peers])]
  }
}

export const w2: Work = {
  id: 'W2',
  run: async (bench) => {
    const shape = { uploads: 8, size: (bench.quick ? 20 : 64) * MIB, body: 5 * MIB, times: 1 }
    return [await appends(bench, '8 uploads of 64 MiB in parallel, 5 MiB per PATCH', shape, withTwice(bench))]
  }
}

export const w3: Work = {
  id: 'W3',
  run: async (bench) => {
    const shape = { uploads: 8, size: (bench.quick ? 2 : 16) * MIB, body: 64 * KIB, times: bench.quick ? 1 : 2 }
    return [await appends(bench, '8 uploads of 16 MiB in parallel, 64 KiB per PATCH', shape, withTwice(bench))]
  }
}

/** Several uploads can use several processes. */
function withTwice ({ peers }: Bench): Peer[] {
  return peers.flatMap((peer) => peer === ours ? [peer, oursTwice] : [peer])
}

async function appends (bench: Bench, title: string, shape: Shape, peers: Peer[]): Promise<Case> {
  const subject = { title: `${title}${bench.quick ? ' (fewer bytes, for --quick)' : ''}`, metrics: appendMetrics }
  return await withServers(peers, async (servers) =>
    await keptInTurns(bench, subject, servers, async (server) =>
      await measureAppends(server, shape)))
}

/** Measures uploads of this shape. A page cache writer only writes. */
export async function measureAppends (server: ServerProcess, shape: Shape): Promise<Figures> {
  const spent = []
  for (let time = 0; time < shape.times; time++) {
    const isAlone = isWriter(server.peer)
    spent.push(isAlone ? await server.measure(async () => await server.ask('write')) : await upload(server, shape))
  }
  return perGib(spent, shape, server.peak)
}

export function perGib (spent: Spent[], { uploads, size }: Pick<Shape, 'uploads' | 'size'>, peak: number): Figures {
  const gibs = spent.length * uploads * size / GIB
  const sum = (name: keyof Spent): number => spent.reduce((total, one) => total + one[name], 0) / gibs
  const [user, system] = [sum('user'), sum('system')]
  return { cpu: user + system, user, system, wall: sum('wall'), peak: peak / MIB }
}

async function upload (server: ServerProcess, { uploads, size, body }: Shape): Promise<Spent> {
  const clients: { connection: Connection, path: string, bytes: Buffer }[] = []
  for (let number = 0; number < uploads; number++) {
    const connection = await Connection.open(server.port)
    const path = await create(connection, server.peer.path, size)
    clients.push({ connection, path, bytes: bytesFor(number, size) })
  }
  const spent = await server.measure(async () => {
    await Promise.all(clients.map(async ({ connection, path, bytes }) => await send(connection, path, bytes, body)))
  })
  for (const { connection, path, bytes } of clients) {
    connection.close()
    const file = server.peer.layout.fileOf?.(server.directory, idOf(path))
    if (file === undefined) continue
    expectStored(file, bytes)
    await rm(file)
  }
  return spent
}
