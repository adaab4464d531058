import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { FastifyRequest } from 'fastify'
import type { Test } from 'tap'
import { newUploadId } from '../../plugin/ids.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { build, type LogLine } from '../helper.ts'

/** The largest upload that the server accepts, in bytes. */
export const MAX_SIZE = 1000

/** Uploads that are prepared for each case, by the names that its request may use for their ids. */
export const uploads = {
  empty: { size: 10, bytes: '' },
  half: { size: 10, bytes: 'abc' },
  deferred: { size: undefined, bytes: 'abc' },
  complete: { size: 5, bytes: 'abcde', finished: true },
  part: { size: 5, bytes: 'abcde', concat: 'partial' },
  openPart: { size: 5, bytes: 'ab', concat: 'partial' },
  // Of the maximum size: a final upload of it and of another one is too large.
  largePart: { size: MAX_SIZE, bytes: 'x'.repeat(MAX_SIZE), concat: 'partial' }
} as const

export type UploadName = keyof typeof uploads

/** A server that listens, and access to its directory. */
export interface Target {
  port: number
  directory: string
  logs: LogLine[]
  /** The id of the upload that a creation with `X-Case: name` creates. */
  idOf (name: string): string
  /** Puts the uploads of a case in the directory, and returns their ids. */
  prepare (name: string): Record<UploadName, string>
  /** The stored state of an upload: `undefined` if it is gone. */
  state (id: string): { offset: number, size: number | undefined, bytes: string } | undefined
  /** The existing files of an upload, including incomplete and temporary ones. */
  filesOf (id: string): string[]
  /** All files in the directory. */
  files (): string[]
  clean (ids: string[]): void
  close (): Promise<void>
}

/** The plugin at `/files`, with real files and a real port; `X-Case` names the upload that a creation creates. */
export async function listen (t: Test, options: FastifyTusOptions = {}): Promise<Target> {
  const { app, directory, logs, listen } = await build(t, {
    maxSize: MAX_SIZE,
    idleTimeout: 1000,
    lockTimeout: 3000,
    durability: 'none',
    namingFunction: ({ headers }: FastifyRequest) => {
      const name = headers['x-case']
      return typeof name === 'string' && /^[a-z0-9-]{1,40}$/.test(name) ? `new-${name}` : newUploadId()
    },
    ...options
  }, { logger: undefined as never }, (app) => {
    app.get('/last', async (_request, reply) => reply.header('connection', 'close').send('last'))
  })
  const { port } = new URL(await listen())
  const file = (id: string) => path.join(directory, id)
  const created = new Date().toISOString()
  return {
    port: Number(port),
    directory,
    logs,
    idOf: (name) => `new-${name}`,
    prepare: (name) => Object.fromEntries(Object.entries(uploads).map(([kind, upload]) => {
      const id = `${kind}-${name}`
      const concatenation = 'concat' in upload ? { header: upload.concat } : undefined
      writeFileSync(file(id), upload.bytes)
      const finished = 'finished' in upload
      const record = { id, size: upload.size, offset: 0, metadata: {}, concatenation, creation_date: created, finished }
      writeFileSync(`${file(id)}.json`, JSON.stringify(record))
      return [kind, id]
    })) as Record<UploadName, string>,
    state: (id) => {
      if (!existsSync(file(id)) || !existsSync(`${file(id)}.json`)) return undefined
      const { size, verified } = JSON.parse(readFileSync(`${file(id)}.json`, 'utf8')) as { size?: number, verified?: number }
      return { size, offset: verified ?? statSync(file(id)).size, bytes: readFileSync(file(id), 'latin1') }
    },
    filesOf: (id) => readdirSync(directory).filter((name) => name === id || name.startsWith(`${id}.`)),
    files: () => readdirSync(directory),
    clean: (ids) => {
      for (const id of ids) for (const name of [id, `${id}.json`]) rmSync(path.join(directory, name), { force: true })
    },
    close: async () => { await app.close() }
  }
}
