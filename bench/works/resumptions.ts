/** W5: many clients request the offset of an upload, on a small and on a large store. */
import type { Bench, Work } from '../bench.ts'
import type { Layout } from '../layouts.ts'
import type { Peer } from '../peers.ts'
import type { Case, Figures } from '../figures.ts'
import { type ServerProcess, withServers } from '../server-process.ts'
import { fill, storedId, storedOffset } from '../stored.ts'
import { head } from '../tus.ts'
import { keptInTurns } from '../turns.ts'
import { newDirectory } from '../workspace.ts'
import { rates, requestMetrics, sendAll } from './requests.ts'

export const w5: Work = {
  id: 'W5',
  run: async (bench) => {
    const count = bench.quick ? 1000 : 10_000
    const results = []
    for (const stored of [10, bench.quick ? 2000 : 100_000]) results.push(await onStoreOf(bench, stored, count))
    return results
  }
}

/** Servers with the same layout share a store, because HEAD changes nothing. */
async function onStoreOf (bench: Bench, stored: number, count: number): Promise<Case> {
  const directories = new Map<Layout, string>()
  const title = `${count} HEADs over 16 connections, on a store of ${stored} uploads`
  return await withServers(bench.peers, async (servers) =>
    await keptInTurns(bench, { title, metrics: requestMetrics }, servers, async (server) =>
      await measureHeads(server, stored, count)), storeFor)

  function storeFor ({ layout }: Peer): string {
    let directory = directories.get(layout)
    if (directory === undefined) {
      directories.set(layout, directory = newDirectory())
      process.stderr.write(`${stored} uploads in the layout "${layout.name}"\n`)
      fill(layout, directory, 0, stored)
    }
    return directory
  }
}

/** A prime step visits every upload before it repeats one, out of directory order. */
const STEP = 7919

/** Requests the offsets of uploads all over the store. */
export async function measureHeads (server: ServerProcess, stored: number, count: number): Promise<Figures> {
  const { path } = server.peer
  const spent = await sendAll(server, count, (number) => {
    const asked = number * STEP % stored
    return head(`${path.replace(/\/$/, '')}/${storedId(asked)}`, storedOffset(asked))
  })
  return rates(spent, count, server.peak)
}
