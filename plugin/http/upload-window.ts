import type { ServerHttp2Session, ServerHttp2Stream, SessionState, Settings } from 'node:http2'
import type { FastifyRequest } from 'fastify'

/** What a client may send of one body before it is read, in bytes. Node.js keeps that much of a body that waits. */
const STREAM_WINDOW = 1024 * 1024

/** What a client may send of all bodies before it hears from the server, in bytes. Node.js keeps none of it. */
const SESSION_WINDOW = 16 * 1024 * 1024

/** How many streams a client may open at a time: bounds what Node.js keeps (RFC 9113, 5.1.2: at least 100). */
const MAX_STREAMS = 100

const kRaised = Symbol('fastify-tus.upload-window')

/** What Node.js always reports of a session, although its types have it optional. */
type Known<T> = { [K in keyof T]-?: Exclude<T[K], undefined> }

type UploadSession = ServerHttp2Session & { [kRaised]?: true }

/**
 * Raises the flow-control windows of an HTTP/2 connection when its first body is accepted (RFC 9113, 5.2). With those
 * of Node.js, a client sends 64 KiB per round trip. What the app has set is only ever raised, and other connections
 * stay as they are.
 */
export function raiseUploadWindow ({ raw }: FastifyRequest): void {
  if (!('stream' in raw)) return
  const session = (raw.stream as ServerHttp2Stream).session as UploadSession | undefined
  if (session === undefined || session.destroyed || session[kRaised]) return
  session[kRaised] = true
  // Settings of the app are known once the client has acknowledged them.
  if (session.pendingSettingsAck) session.once('localSettings', () => raise(session))
  else raise(session)
}

function raise (session: ServerHttp2Session): void {
  const { initialWindowSize, maxConcurrentStreams } = session.localSettings as Known<Settings>
  if (initialWindowSize < STREAM_WINDOW) {
    session.settings({
      initialWindowSize: STREAM_WINDOW,
      maxConcurrentStreams: Math.min(maxConcurrentStreams, MAX_STREAMS)
    })
  }
  const { effectiveLocalWindowSize } = session.state as Known<SessionState>
  if (effectiveLocalWindowSize < SESSION_WINDOW) session.setLocalWindowSize(SESSION_WINDOW)
}
