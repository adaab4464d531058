/** W4: uploads are created, many small files. */
import { stat } from 'node:fs/promises'
import type { Work } from '../bench.ts'
import type { Figures } from '../results.ts'
import type { ServerProcess } from '../server-process.ts'
import { creation, idOf } from '../tus.ts'
import { fresh, inTurns } from '../turns.ts'
import { rates, requestMetrics, sendAll } from './requests.ts'

export const w4: Work = {
  id: 'W4',
  title: 'POST over 16 connections',
  run: async (bench) => {
    const count = bench.quick ? 2000 : 10_000
    return [await inTurns(bench, `${count} POSTs over 16 connections`, requestMetrics, bench.peers.map((peer) =>
      fresh(peer, async (server) => {
        await measureCreations(server, count / 5)
        return await measureCreations(server, count)
      })))]
  }
}

/** Creates so many uploads, and checks that each is there. */
export async function measureCreations (server: ServerProcess, count: number): Promise<Figures> {
  const paths = new Set<string>()
  const spent = await sendAll(server, count, (number) => {
    return creation(server.peer.path, number + 1, (path) => paths.add(path))
  })
  if (paths.size !== count) throw new Error(`${count} POSTs were answered with ${paths.size} different Locations`)
  const { fileOf, record } = server.peer.layout
  for (const path of paths) {
    const id = idOf(path)
    await stat(fileOf?.(server.directory, id) ?? '')
    if (record !== undefined) await stat(record(server.directory, id, 0, 0, new Date()).file)
  }
  return rates(spent, count, server.peak)
}
