/** S3-1 to S3-3: uploads on S3 by PATCH, with a few large or many small bodies. */
import { rm } from 'node:fs/promises'
import type { Bench, Work } from '../bench.ts'
import { bytesFor, expectStored, KIB, MIB } from '../bytes.ts'
import { Connection } from '../connection.ts'
import { type Engines, withEngines } from '../engines.ts'
import type { Case, Figures, Metric } from '../figures.ts'
import { s3PeersOf } from '../s3-peers.ts'
import { type ServerProcess, type Spent, withServers } from '../server-process.ts'
import { create, idOf, send } from '../tus.ts'
import { keptInTurns } from '../turns.ts'
import { newDirectory } from '../workspace.ts'

const metrics: Metric[] = [
  { name: 'requests', unit: 'S3 requests', digits: 0, compared: true },
  { name: 'cpu', unit: 'CPU s', digits: 2, compared: true },
  { name: 'wall', unit: 'wall s', digits: 2, compared: true },
  { name: 'far', unit: 'wall s, +20 ms per S3 request', digits: 2, compared: true },
  { name: 'peak', unit: 'peak RSS MiB', digits: 0 }
]

/** The size of the upload and of each PATCH, in bytes. */
interface Shape { size: number, body: number }

export const s3Works: Work[] = [
  s3Work('S3-1', '256 MiB on S3 in one PATCH', { size: 256 * MIB, body: 256 * MIB }),
  s3Work('S3-2', '256 MiB on S3, 5 MiB per PATCH', { size: 256 * MIB, body: 5 * MIB }),
  s3Work('S3-3', '32 MiB on S3, 64 KiB per PATCH', { size: 32 * MIB, body: 64 * KIB })
]

function s3Work (id: string, title: string, { size, body }: Shape): Work {
  return {
    id,
    needsEngines: true,
    run: async (bench) => {
      const shape = { size: bench.quick ? size / 8 : size, body }
      return [await onS3(bench, `${title}${bench.quick ? ' (fewer bytes, for --quick)' : ''}`, shape)]
    }
  }
}

async function onS3 (bench: Bench, title: string, shape: Shape): Promise<Case> {
  const leftOut = bench.leftOut.filter(({ name }) => name === 'tusd')
  return await withEngines(async (engines) => {
    const ports = { s3: engines.proxy.port, redis: engines.redis.port }
    return await withServers(s3PeersOf(bench.peers), async (servers) =>
      await keptInTurns({ ...bench, leftOut }, { title, metrics }, servers, async (server) =>
        await measureBoth(server, engines, shape)), newDirectory, ports)
  })
}

/** Measures an upload with S3 on this machine, and another one with S3 at a distance. */
async function measureBoth (server: ServerProcess, engines: Engines, shape: Shape): Promise<Figures> {
  const { proxy } = engines
  await proxy.ask('near')
  await proxy.ask('counted')
  const { user, system, wall } = await upload(server, engines, shape)
  const requests = await proxy.ask('counted')
  await proxy.ask('far')
  const { wall: far } = await upload(server, engines, shape)
  return { requests, cpu: user + system, wall, far, peak: server.peak / MIB }
}

/** The creation counts too: a server may do much of its work there. */
async function upload (server: ServerProcess, { proxy, fileOf }: Engines, { size, body }: Shape): Promise<Spent> {
  const bytes = bytesFor(0, size)
  const connection = await Connection.open(server.port)
  let path = ''
  const spent = await server.measure(async () => {
    path = await create(connection, server.peer.path, size)
    await send(connection, path, bytes, body)
  })
  connection.close()
  // A server that waits for S3 may look idle.
  await proxy.rests()
  // The id of tusd is the name of the object and the id of a multipart upload.
  const file = fileOf(idOf(path).replace(/\+.*/, ''))
  expectStored(file, bytes)
  await rm(file)
  return spent
}
