/** T1: a client reconnects to another process, while its old connection still holds the upload. */
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Work } from '../bench.ts'
import { bytesFor, expectStored, KIB } from '../bytes.ts'
import { Connection } from '../connection.ts'
import { withEngines } from '../engines.ts'
import { type Figures, type Metric, quantile } from '../figures.ts'
import { oursLocal } from '../peers.ts'
import { oursS3Redis } from '../s3-peers.ts'
import { type ServerProcess, withServers } from '../server-process.ts'
import { create, expectStatus, head, idOf, patch, patchHead } from '../tus.ts'
import { inTurns } from '../turns.ts'
import { newDirectory } from '../workspace.ts'

const metrics: Metric[] = [
  { name: 'median', unit: 'median ms', digits: 1, spread: true },
  { name: 'p95', unit: '95th percentile ms', digits: 1, spread: true }
]

/** The length of each upload, and what its old connection sends, in bytes. */
const LENGTH = 64 * KIB
const SENT = 16 * KIB
/** How long the old connection is open before the client reconnects, in ms. */
const OPEN = 50

export const t1: Work = {
  id: 'T1',
  needsEngines: true,
  run: async (bench) => {
    const count = bench.quick ? 20 : 100
    const title = `${count} HEADs for uploads whose PATCH is open in another process`
    const directory = newDirectory()
    const localFile = (id: string): string => path.join(directory, id)
    return await withEngines(async ({ s3, redis, fileOf }) =>
      await withServers([oursLocal, oursLocal], async (local) =>
        await withServers([oursS3Redis, oursS3Redis], async (onS3) =>
          [await inTurns({ ...bench, leftOut: [] }, { title, metrics }, [
            { name: oursLocal.name, measure: async () => await takeOvers(count, local, localFile) },
            { name: oursS3Redis.name, measure: async () => await takeOvers(count, onS3, fileOf) }
          ], 1)],
        newDirectory, { s3: s3.port, redis: redis.port }),
      () => directory))
  }
}

type FileOf = (id: string) => string

async function takeOvers (count: number, servers: ServerProcess[], fileOf: FileOf): Promise<Figures> {
  const times: number[] = []
  for (let number = 0; number < count; number++) times.push(await takeOver(number, servers, fileOf))
  return { median: quantile(times, 0.5), p95: quantile(times, 0.95) }
}

/** Returns how long the HEAD of the new connection takes, in ms. */
async function takeOver (number: number, servers: ServerProcess[], fileOf: FileOf): Promise<number> {
  const [first, second] = servers as [ServerProcess, ServerProcess]
  const bytes = bytesFor(number, LENGTH)
  const old = await Connection.open(first.port)
  const path = await create(old, first.peer.path, LENGTH)
  const displaced = old.ask({ head: patchHead(path, 0, LENGTH), body: bytes.subarray(0, SENT) })
  // Awaited after the takeover.
  displaced.catch(() => {})
  await sleep(OPEN)

  const connection = await Connection.open(second.port)
  const { request, check } = head(path, SENT)
  const start = performance.now()
  const answer = await connection.ask(request)
  const time = performance.now() - start
  check(answer)
  expectStatus(await displaced, 423, 'the displaced PATCH')

  const rest = patch(path, SENT, bytes.subarray(SENT))
  rest.check(await connection.ask(rest.request))
  for (const each of [old, connection]) each.close()
  expectStored(fileOf(idOf(path)), bytes)
  return time
}
