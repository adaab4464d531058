/** How the costs grow: with the size of a body downwards, and with the number of stored uploads. For plots. */
import type { Bench } from '../bench.ts'
import { KIB, MIB } from '../bytes.ts'
import { oursNone, tusNode } from '../peers.ts'
import type { Case } from '../figures.ts'
import { withServers } from '../server-process.ts'
import { fill } from '../stored.ts'
import { keptInTurns } from '../turns.ts'
import { appendMetrics, measureAppends } from './appends.ts'
import { measureCreations } from './creations.ts'
import { requestMetrics } from './requests.ts'
import { measureHeads } from './resumptions.ts'

/** What was measured at one place of the axis. */
export interface Point { at: number, measured: Case }

/** So many PATCHes make an upload, up to the greatest size of one. */
const PATCHES = 1024
const GREATEST = 256 * MIB

/** CPU for a GiB, by the size of bodies from 16 KiB to 256 MiB. */
export async function byBodySize (bench: Bench): Promise<Point[]> {
  const points = []
  for (let body = 16 * KIB; body <= GREATEST; body *= 4) {
    const shape = { uploads: 1, size: Math.min(PATCHES * body, GREATEST), body, times: 1 }
    const subject = { title: `${body / KIB} KiB a PATCH`, metrics: appendMetrics }
    points.push({
      at: body,
      measured: await withServers(bench.peers, async (servers) =>
        await keptInTurns(bench, subject, servers, async (server) => await measureAppends(server, shape)))
    })
  }
  return points
}

/** Numbers of stored uploads, ten times as many each time. */
const FIRST = 10
const LAST = 100_000
/** Of each kind, at each of these numbers; and before all. */
const REQUESTS = 4000
const WARM_UP = 15_000

/** Rates of POST and HEAD, by the number of stored uploads from 10 to 100,000. */
export async function byStored (bench: Bench): Promise<{ creations: Point[], heads: Point[] }> {
  const peers = bench.peers.filter((peer) => peer === oursNone || peer === tusNode)
  return await withServers(peers, async (servers) => {
    const creations = []
    const heads = []
    // Code is compiled by how often it runs: the first number of uploads is not to pay for it.
    for (const server of servers) {
      fill(server.peer.layout, server.directory, 0, FIRST)
      await measureCreations(server, WARM_UP)
      await measureHeads(server, FIRST, WARM_UP)
    }
    for (let stored = FIRST, at = FIRST; at <= LAST; stored = at, at *= 10) {
      for (const { peer, directory } of servers) fill(peer.layout, directory, stored, at)
      const measure = async (title: string, of: typeof measureHeads): Promise<Point> => ({
        at,
        measured: await keptInTurns(bench, { title: `${title}, ${at} stored`, metrics: requestMetrics }, servers,
          async (server) => await of(server, at, REQUESTS))
      })
      creations.push(await measure('POST', async (server, _stored, count) => await measureCreations(server, count)))
      heads.push(await measure('HEAD', measureHeads))
    }
    return { creations, heads }
  })
}
