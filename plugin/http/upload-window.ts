import type { ServerHttp2Session, ServerHttp2Stream, SessionState, Settings } from 'node:http2'
import type { FastifyRequest } from 'fastify'

/** How much of one body a client may send before it is read, in bytes. Node.js buffers that much of a waiting body. */
const STREAM_WINDOW = 1024 * 1024

/** How much of all bodies a client may send before the server acknowledges it, in bytes. Node.js buffers none of it. */
const SESSION_WINDOW = 16 * 1024 * 1024

/** How many streams a client may open at a time: limits how much is buffered (RFC 9113, 5.1.2: at least 100). */
const MAX_STREAMS = 100

const kRaised = Symbol('fastify-tus.upload-window')
const kLimited = Symbol('fastify-tus.max-streams')

/** The properties that Node.js always reports for a session, although they are optional in its types. */
type Known<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

type TusSession = ServerHttp2Session & { [kRaised]?: true, [kLimited]?: true }

/**
 * Raises the flow-control windows of an HTTP/2 connection when its first body is accepted (RFC 9113, 5.2). With the
 * default of Node.js, a client sends 64 KiB per round trip. Values of the app are never lowered, and other connections
 * are unchanged.
 */
export function raiseUploadWindow (request: FastifyRequest): void {
  changeOnce(request, kRaised, (session) => {
    const { initialWindowSize, maxConcurrentStreams } = session.localSettings as Known<Settings>
    if (initialWindowSize < STREAM_WINDOW) {
      session.settings({
        initialWindowSize: STREAM_WINDOW,
        maxConcurrentStreams: Math.min(maxConcurrentStreams, MAX_STREAMS)
      })
    }
    const { effectiveLocalWindowSize } = session.state as Known<SessionState>
    if (effectiveLocalWindowSize < SESSION_WINDOW) session.setLocalWindowSize(SESSION_WINDOW)
  })
}

/**
 * Limits the streams of an HTTP/2 connection at its first download, so that a client does not request more than the
 * plugin serves at a time.
 */
export function limitStreams (request: FastifyRequest): void {
  changeOnce(request, kLimited, (session) => {
    const { maxConcurrentStreams } = session.localSettings as Known<Settings>
    if (maxConcurrentStreams > MAX_STREAMS) session.settings({ maxConcurrentStreams: MAX_STREAMS })
  })
}

function changeOnce (
  { raw }: FastifyRequest, change: typeof kRaised | typeof kLimited, apply: (session: ServerHttp2Session) => void
): void {
  if (!('stream' in raw)) return
  const session = (raw.stream as ServerHttp2Stream).session as TusSession | undefined
  if (session === undefined || session.destroyed || session[change]) return
  session[change] = true
  // Settings of the app are known once the client has acknowledged them.
  if (session.pendingSettingsAck) session.once('localSettings', () => apply(session))
  else apply(session)
}
