/** How the costs grow with smaller bodies and with the number of stored uploads, for the plots. */
import type { Bench } from '../bench.ts'
import { KIB, MIB } from '../bytes.ts'
import type { Case, Figures } from '../figures.ts'
import { oursNone, tusNode } from '../peers.ts'
import { type ServerProcess, withServers } from '../server-process.ts'
import { fill } from '../stored.ts'
import { inTurns, type Subject } from '../turns.ts'
import { appendMetrics, measureAppends } from './appends.ts'
import { measureCreations } from './creations.ts'
import { requestMetrics } from './requests.ts'
import { measureHeads } from './resumptions.ts'

/** The measurement at one position of the axis. */
export interface Point { at: number, measured: Case }

/** The number of PATCHes per upload, up to the maximum size of an upload. */
const PATCHES = 1024
const SIZES = [16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB]
const GREATEST = 256 * MIB

/** CPU time per GiB, by body size. */
export async function byBodySize (bench: Bench): Promise<Point[]> {
  return await withServers(bench.peers, async (servers) => {
    const places = SIZES.map((at) => ({ at, servers }))
    const subject = { title: 'uploads by the size of a PATCH', metrics: appendMetrics }
    return await alongAxis(bench, subject, places, async (server, body) =>
      await measureAppends(server, { uploads: 1, size: Math.min(PATCHES * body, GREATEST), body, times: 1 }))
  })
}

const NUMBERS = [10, 100, 1000, 10_000, 100_000]
/** The number of POST and of HEAD requests at each number of stored uploads. */
const REQUESTS = 4000

/** Rates of POST and HEAD, by the number of stored uploads. */
export async function byStored (bench: Bench): Promise<{ creations: Point[], heads: Point[] }> {
  const peers = bench.peers.filter((peer) => peer === oursNone || peer === tusNode)
  return await withServers(NUMBERS.flatMap(() => peers), async (servers) => {
    const places = NUMBERS.map((at, i) => ({ at, servers: servers.slice(i * peers.length, (i + 1) * peers.length) }))
    for (const { at, servers } of places) {
      for (const { peer, directory } of servers) fill(peer.layout, directory, 0, at)
    }
    const metrics = requestMetrics
    const creations = await alongAxis(bench, { title: 'POST by the number of stored uploads', metrics }, places,
      async (server) => await measureCreations(server, REQUESTS))
    const heads = await alongAxis(bench, { title: 'HEAD by the number of stored uploads', metrics }, places,
      async (server, at) => await measureHeads(server, at, REQUESTS))
    return { creations, heads }
  })
}

/**
 * The positions of the axis are measured in turn, like the servers, so that changes of the machine affect all of them.
 */
async function alongAxis (
  bench: Bench, subject: Subject, places: { at: number, servers: ServerProcess[] }[],
  measure: (server: ServerProcess, at: number) => Promise<Figures>
): Promise<Point[]> {
  const nameOf = (server: string, at: number): string => `${server}, ${at}`
  const contenders = places.flatMap(({ at, servers }) => servers.map((server) => ({
    name: nameOf(server.peer.name, at),
    measure: async () => await measure(server, at)
  })))
  const all = await inTurns(bench, subject, contenders, 1)
  return places.map(({ at, servers }) => {
    const names = servers.map(({ peer }) => peer.name)
    const rows = names.flatMap((server) => all.rows.flatMap((row) =>
      row.server === nameOf(server, at) ? [{ ...row, server }] : []))
    return { at, measured: { ...all, rows } }
  })
}
