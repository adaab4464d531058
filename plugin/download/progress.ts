import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Following, Followers } from '../uploads/followers.ts'
import { isFinished } from '../uploads/read.ts'
import type { Scope } from '../uploads/context.ts'
import { isWhole } from '../uploads/state.ts'

/** The shortest time between two events, in ms, but for one that tells of another state. */
const EVENT_MS = 1000

/** After how long without an event a comment is sent, in ms: proxies cut off what is silent. */
const SILENCE_MS = 15_000

/** The id of the last event. */
const LAST = 'last'

/** Whether the client wants events, and says so by name, as `EventSource` does. */
export function wantsEvents ({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '')
}

/** Answers with how an upload goes on, as server-sent events (HTML, 9.2), until it is finished or gone. */
export function sendProgress (
  scope: Scope, request: FastifyRequest, reply: FastifyReply, upload: Upload
): FastifyReply {
  // Else `EventSource` would ask again and again.
  if (request.headers['last-event-id'] === LAST) return reply.code(204).send()
  reply.headers({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  return reply.send(new ProgressEvents(scope.followers, upload))
}

/** The state of an upload, and again whenever it changed; a client that does not read misses some, and not the last. */
export class ProgressEvents extends Readable {
  readonly #following: Following
  readonly #timer: NodeJS.Timeout
  readonly #silence: number
  #isWanted = false
  #told = ''
  #state = ''
  #toldAt = performance.now()
  #offset: number
  #measuredAt = performance.now()

  constructor (followers: Followers, upload: Upload, silence = SILENCE_MS) {
    super()
    this.#silence = silence
    this.#offset = upload.offset
    this.#following = followers.follow(upload, () => {
      if (this.#stateNow() !== this.#state) this.#tell()
    })
    this.#timer = setInterval(() => this.#tell(), EVENT_MS).unref()
  }

  override _read (): void {
    this.#isWanted = true
    if (this.#told === '') this.#tell()
  }

  override _destroy (error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#timer)
    this.#following.stop()
    done(error)
  }

  #stateNow (): 'uploading' | 'processing' | 'finished' | 'gone' {
    const { upload, error } = this.#following
    if (error !== undefined) return 'gone'
    if (isFinished(upload)) return 'finished'
    return isWhole(upload) ? 'processing' : 'uploading'
  }

  #tell (): void {
    // Whoever connects again after the app closed may find the upload again.
    if (this.#following.error instanceof errors.Shutdown) this.destroy()
    if (!this.#isWanted || this.destroyed) return
    const { offset, size: length = null } = this.#following.upload
    const state = this.#stateNow()
    const now = performance.now()
    const rate = Math.max(0, Math.round((offset - this.#offset) / Math.max(now - this.#measuredAt, 1) * 1000))
    this.#offset = offset
    this.#measuredAt = now
    const data = JSON.stringify({ offset, length, rate, state })
    const isOver = state === 'finished' || state === 'gone'
    if (data !== this.#told) this.#give(`event: progress\n${isOver ? `id: ${LAST}\n` : ''}data: ${data}\n\n`)
    else if (now - this.#toldAt >= this.#silence) this.#give(':\n\n')
    this.#told = data
    this.#state = state
    if (isOver) this.push(null)
  }

  #give (text: string): void {
    this.#toldAt = performance.now()
    this.#isWanted = false
    this.push(text)
  }
}
