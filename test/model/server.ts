/**
 * A server for the tests that kill it: the plugin in an app that notes hook calls in a file, and takes orders from its
 * parent process.
 */
import { appendFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyTus from '../../plugin/index.ts'
import type { DataStore } from '../../plugin/index.ts'
import { type ClockStep, liveBy, stepClock } from './clock.ts'
import { openEngines } from './storage/engines.ts'
import type { Served } from './storage/storage.ts'

/** Orders to the server. */
export interface Orders {
  /** Begins to serve a storage, after the end of an earlier one. */
  serve?: {
    served: Served
    steps: ClockStep[]
    period: number
    sweepInterval: number
  }
  /** Sets the clock, by this many ms. */
  step?: number
  /** Dies as if killed at the next call: of the finish hook, or of the update that records it. */
  dieAt?: 'hook' | 'mark'
}

/** Messages of the server. */
export interface Messages {
  /** It is ready for its first order. */
  ready?: true
  /** Its address. */
  port?: number
  stepped?: ClockStep
  /** A sweep has ended. */
  swept?: true
}

const send = (message: Messages) => process.send?.(message)

let dieAt: Orders['dieAt']

function dieIfOrdered (where: Orders['dieAt']): void {
  if (dieAt === where) process.kill(process.pid, 'SIGKILL')
}

/** Notes a call: `hook` or `mark`, and the upload. Written synchronously, so that it outlives the process. */
function notesIn (file: string) {
  return (word: string, id: string) => appendFileSync(file, `${word} ${id} ${process.pid}\n`)
}

/** Notes when the finish hook of an upload is recorded, and reports each end of a sweep. */
function observe (store: DataStore, note: (word: string, id: string) => void): void {
  const update = store.update?.bind(store) as NonNullable<DataStore['update']>
  const removeOrphans = store.removeOrphans?.bind(store) as NonNullable<DataStore['removeOrphans']>
  store.update = async (upload, changes) => {
    const isFinished = changes.finished === true
    if (isFinished) dieIfOrdered('mark')
    await update(upload, changes)
    if (isFinished) note('mark', upload.id)
  }
  store.removeOrphans = async () => {
    const deleted = await removeOrphans()
    send({ swept: true })
    return deleted
  }
}

/** The output for problems: a 503 during shutdown is none. */
const problems = {
  write: (line: string) => line.includes('"FST_TUS_SHUTDOWN"') || process.stderr.write(line)
}

let app: FastifyInstance | undefined

async function serve (orders: Required<Orders>['serve']): Promise<void> {
  const { served, steps, period, sweepInterval } = orders
  await app?.close()
  liveBy(steps)
  const note = notesIn(served.notes)
  const { datastore, locker, logLevel, close } = openEngines(served)
  observe(datastore, note)
  app = Fastify({ logger: { level: logLevel, stream: problems }, return503OnClosing: false }) as FastifyInstance
  app.addHook('onClose', async () => close())
  await app.register(fastifyTus, {
    prefix: '/files',
    datastore,
    locker,
    expiration: { period, sweepInterval },
    onUploadFinish (_request, { id }) {
      dieIfOrdered('hook')
      note('hook', id)
    }
  })
  await app.listen({ port: 0 })
  send({ port: (app.server.address() as AddressInfo).port })
}

async function obey (orders: Orders): Promise<void> {
  if (orders.serve !== undefined) await serve(orders.serve)
  if (orders.dieAt !== undefined) dieAt = orders.dieAt
  if (orders.step !== undefined) send({ stepped: await stepClock(orders.step) })
}

async function shutDown (): Promise<void> {
  await app?.close()
  process.removeAllListeners('disconnect')
  process.disconnect()
}

function crash (error: unknown): never {
  process.stderr.write(String(error))
  process.exit(1)
}

process.on('message', (orders: Orders) => { obey(orders).catch(crash) })
// Without its parent process there is nothing to do.
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => { shutDown().catch(crash) })
send({ ready: true })
