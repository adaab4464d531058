/**
 * A server for the tests that kill it: the plugin in an app that notes its calls in a file, and takes orders from the
 * process that started it.
 */
import { appendFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyTus, { FileStore, type Upload, type UploadChanges } from '../../plugin/index.ts'
import { type ClockStep, liveBy, movedFs, stepClock } from './clock.ts'

/** What the server is told. */
export interface Orders {
  /** Begins to serve a directory, after the end of one that it served before. */
  serve?: { directory: string, notes: string, steps: ClockStep[], period: number, sweepInterval: number }
  /** Sets the clock, by so many ms. */
  step?: number
  /** Dies as if killed at the next call: of the finish hook, or of what records that it ran. */
  dieAt?: 'hook' | 'mark'
}

/** What the server tells. */
export interface News {
  /** It can be given its first order. */
  ready?: true
  /** It listens there. */
  port?: number
  stepped?: ClockStep
  /** A sweep came to its end. */
  swept?: true
}

const tell = (news: News) => process.send?.(news)

let dieAt: Orders['dieAt']

function dieIfTold (where: Orders['dieAt']): void {
  if (dieAt === where) process.kill(process.pid, 'SIGKILL')
}

/** Notes a call: `hook`, `mark`, and the upload. Written at once, so that it outlives the process. */
function notesIn (file: string) {
  return (word: string, id: string) => appendFileSync(file, `${word} ${id} ${process.pid}\n`)
}

class NotingStore extends FileStore {
  note: (word: string, id: string) => void = () => {}

  override async update (upload: Upload, changes: UploadChanges): Promise<void> {
    const isFinished = changes.finished === true
    if (isFinished) dieIfTold('mark')
    await super.update(upload, changes)
    if (isFinished) this.note('mark', upload.id)
  }

  override async removeOrphans (): Promise<number> {
    const deleted = await super.removeOrphans()
    tell({ swept: true })
    return deleted
  }
}

/** Where complaints go: answering 503 while it shuts down is none. */
const complaints = {
  write: (line: string) => line.includes('"FST_TUS_SHUTDOWN"') || process.stderr.write(line)
}

let app: FastifyInstance | undefined

async function serve ({ directory, notes, steps, period, sweepInterval }: Required<Orders>['serve']): Promise<void> {
  await app?.close()
  liveBy(steps)
  const note = notesIn(notes)
  const datastore = new NotingStore({ directory, exclusive: true, fs: movedFs })
  datastore.note = note
  app = Fastify({ logger: { level: 'error', stream: complaints }, return503OnClosing: false }) as FastifyInstance
  await app.register(fastifyTus, {
    prefix: '/files',
    datastore,
    expiration: { period, sweepInterval },
    onUploadFinish (_request, { id }) {
      dieIfTold('hook')
      note('hook', id)
    }
  })
  await app.listen({ port: 0 })
  tell({ port: (app.server.address() as AddressInfo).port })
}

async function obey (orders: Orders): Promise<void> {
  if (orders.serve !== undefined) await serve(orders.serve)
  if (orders.dieAt !== undefined) dieAt = orders.dieAt
  if (orders.step !== undefined) tell({ stepped: await stepClock(orders.step) })
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
// Without the process that started it there is nothing to do.
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => { shutDown().catch(crash) })
tell({ ready: true })
