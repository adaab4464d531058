import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import type { Upload } from '../types.ts'
import type { Following, Followers } from '../uploads/events/followers.ts'
import type { Context } from '../uploads/context.ts'
import { isComplete, isFinished } from '../uploads/state.ts'

/** The minimum time between two events of the same state, in ms. */
const EVENT_MS = 1000

/** After this time without an event, a comment is sent, in ms: proxies close idle connections. */
const SILENCE_MS = 15_000

/** The id of the last event. */
const LAST = 'last'

/** Whether the client asks for events by name, as `EventSource` does. */
export function wantsEvents ({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '')
}

/** Sends the progress of an upload as server-sent events (HTML, 9.2), until it is finished or deleted. */
export function sendProgress (
  context: Context, request: FastifyRequest, reply: FastifyReply, upload: Upload
): FastifyReply {
  // Otherwise `EventSource` would reconnect forever.
  if (request.headers['last-event-id'] === LAST) return reply.code(204).send()
  reply.headers({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff'
  })
  return reply.send(new ProgressEvents(context.followers, upload))
}

/** The state of an upload, now and after each change. A slow reader misses some events, but not the last one. */
export class ProgressEvents extends Readable {
  readonly #following: Following
  readonly #timer: NodeJS.Timeout
  readonly #silence: number
  #isWanted = false
  #sent = ''
  #state = ''
  #sentAt = performance.now()
  #offset: number
  #measuredAt = performance.now()

  constructor (followers: Followers, upload: Upload, silence = SILENCE_MS) {
    super()
    this.#silence = silence
    this.#offset = upload.offset
    this.#following = followers.follow(upload, () => {
      if (this.#stateNow() !== this.#state) this.#send()
    })
    this.#timer = setInterval(() => this.#send(), EVENT_MS).unref()
  }

  override _read (): void {
    this.#isWanted = true
    if (this.#sent === '') this.#send()
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
    return isComplete(upload) ? 'processing' : 'uploading'
  }

  #send (): void {
    // A client that reconnects after a restart may find the upload again.
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
    if (data !== this.#sent) this.#push(`event: progress\n${isOver ? `id: ${LAST}\n` : ''}data: ${data}\n\n`)
    else if (now - this.#sentAt >= this.#silence) this.#push(':\n\n')
    this.#sent = data
    this.#state = state
    if (isOver) this.push(null)
  }

  #push (text: string): void {
    this.#sentAt = performance.now()
    this.#isWanted = false
    this.push(text)
  }
}
