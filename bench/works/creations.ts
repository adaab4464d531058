/** W4: creations of many small files. */
import { rm } from 'node:fs/promises'
import type { Work } from '../bench.ts'
import type { Figures } from '../figures.ts'
import { type ServerProcess, withServers } from '../server-process.ts'
import { creation, idOf } from '../tus.ts'
import { keptInTurns } from '../turns.ts'
import { rates, requestMetrics, sendAll } from './requests.ts'

export const w4: Work = {
  id: 'W4',
  run: async (bench) => {
    const count = bench.quick ? 600 : 5000
    const subject = { title: `${count} POSTs over 16 connections`, metrics: requestMetrics }
    return [await withServers(bench.peers, async (servers) =>
      await keptInTurns(bench, subject, servers, async (server) => await measureCreations(server, count)))]
  }
}

/** Creates uploads, then deletes their files, which must all exist. */
export async function measureCreations (server: ServerProcess, count: number): Promise<Figures> {
  const paths = new Set<string>()
  const spent = await sendAll(server, count, (number) => {
    return creation(server.peer.path, number + 1, (path) => paths.add(path))
  })
  if (paths.size !== count) throw new Error(`${count} POSTs returned ${paths.size} different Locations`)
  const { fileOf, record } = server.peer.layout
  for (const path of paths) {
    const id = idOf(path)
    await rm(fileOf?.(server.directory, id) ?? '')
    if (record !== undefined) await rm(record(server.directory, id, 0, 0, new Date()).file)
  }
  return rates(spent, count, server.peak)
}
