import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import type {
  FastifyInstance, FastifyServerOptions, InjectOptions, LightMyRequestResponse, RegisterOptions
} from 'fastify'
import type { Test } from 'tap'
import fastifyTus from '../plugin/index.ts'
import type { FastifyTusOptions } from '../plugin/index.ts'
import { rawRequest } from './raw-request.ts'
import type { RawRequest } from './raw-request.ts'

type Headers = Record<string, string>
type Body = string | Buffer

export const OFFSET_OCTET_STREAM = 'application/offset+octet-stream'

/** One line of the log. */
export interface LogLine {
  level: number
  msg: string
  err?: { message: string, code?: string }
  [key: string]: unknown
}

export interface Built {
  app: FastifyInstance
  /** The directory of the default store. */
  directory: string
  logs: LogLine[]
  /** Any request, with `Tus-Resumable`. */
  request (method: string, url: string, headers?: Headers, body?: Body): Promise<LightMyRequestResponse>
  post (headers: Headers, body?: Body): Promise<LightMyRequestResponse>
  patch (location: string, offset: number, body?: Body, headers?: Headers): Promise<LightMyRequestResponse>
  head (location: string, headers?: Headers): Promise<LightMyRequestResponse>
  /** Creates an upload of a given or deferred length, and returns its `Location`. */
  create (length: number | 'deferred', headers?: Headers): Promise<string>
  /** Listens, and returns the origin of the creation endpoint. */
  listen (): Promise<string>
  /** Sends, over a socket, a PATCH that announces `length` bytes and stops after those of `body`. */
  stall (location: string, offset: number, length: number, body: Body, headers?: Headers): Promise<RawRequest>
  /** The stored bytes of an upload. */
  stored (location: string): Promise<Buffer>
  /** Waits until this many bytes of an upload are stored. */
  untilStored (location: string, bytes: number): Promise<void>
}

/** A directory that exists until everything registered with `teardown` before it has ended, unlike `t.testdir()`. */
export async function temporaryDirectory (t: Test): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'fastify-tus-'))
  t.teardown(() => rm(directory, { recursive: true }))
  return directory
}

/** An app with the plugin at `/files`, closed after the test. `prepare` is called before the plugin is registered. */
export async function build (
  t: Test,
  options: FastifyTusOptions & Pick<RegisterOptions, 'logLevel'> = {},
  fastifyOptions: FastifyServerOptions = {},
  prepare: (app: FastifyInstance) => void | Promise<void> = () => {}
): Promise<Built> {
  const directory = options.directory ?? (options.datastore === undefined ? await temporaryDirectory(t) : '')
  const logs: LogLine[] = []
  const stream = { write: (line: string) => { logs.push(JSON.parse(line) as LogLine) } }
  const app = Fastify({ logger: { level: 'debug', stream }, ...fastifyOptions }) as FastifyInstance
  t.teardown(() => app.close())
  await prepare(app)
  await app.register(fastifyTus, { prefix: '/files', ...options, ...(directory === '' ? {} : { directory }) })
  await app.ready()
  return { app, directory, logs, ...client(t, app, directory) }
}

function client (t: Test, app: FastifyInstance, directory: string): Omit<Built, 'app' | 'directory' | 'logs'> {
  const request: Built['request'] = (method, url, headers = {}, payload) => app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...(payload === undefined ? {} : { payload })
  })
  const patchHeaders = (offset: number, headers: Headers): Headers =>
    ({ 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': String(offset), ...headers })
  const file = (location: string) => path.join(directory, path.basename(location))
  let base: string | undefined
  const listen = async () => (base ??= await app.listen({ port: 0, host: '127.0.0.1' }))

  return {
    request,
    listen,
    post: (headers, body) => request('POST', '/files', headers, body),
    patch: (location, offset, body, headers = {}) => request('PATCH', location, patchHeaders(offset, headers), body),
    head: (location, headers) => request('HEAD', location, headers),
    async create (length, headers = {}) {
      const lengthHeader = length === 'deferred' ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }
      const response = await request('POST', '/files', { ...lengthHeader, ...headers })
      if (response.statusCode !== 201) throw new Error(`not created: ${response.statusCode} ${response.body}`)
      return response.headers.location as string
    },
    async stall (location, offset, length, body, headers = {}) {
      return await rawRequest(t, await listen(), 'PATCH', location, patchHeaders(offset, {
        'tus-resumable': '1.0.0',
        'content-length': String(length),
        ...headers
      }), body)
    },
    stored: (location) => readFile(file(location)),
    untilStored: (location, bytes) => until(async () => {
      const stats = await stat(file(location)).catch(() => undefined)
      return stats?.size === bytes
    })
  }
}

/** Polls for a condition without an event; if it never holds, the test reaches its time limit. */
export async function until (happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!await happened()) await wait(2)
}

/** Bytes that differ by position, the same ones for the same length. */
export function sampleBytes (length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let i = 0, x = 1; i < length; i++) {
    x = (x * 1103515245 + 12345) % 2147483648
    bytes[i] = x >> 16
  }
  return bytes
}

export function sha256 (bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** What is buffered in a stream. Since Node.js 26, `read()` returns a single chunk. */
export function buffered (stream: Readable): string {
  let text = ''
  for (let chunk: unknown; (chunk = stream.read()) !== null;) text += String(chunk)
  return text
}
