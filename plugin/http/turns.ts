import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'

/** How many downloads of one connection may be open: being sent, or waiting for their turn. */
const MAX_DOWNLOADS = 100

/** A socket of HTTP/1.1, or a session of HTTP/2. */
type Connection = NonNullable<IncomingMessage['socket'] | ServerHttp2Stream['session']>

/** The downloads of one connection. */
class Downloads {
  open = 0
  /** Ends the wait of each download whose turn has not come. */
  readonly waiting = new Set<() => void>()

  constructor (connection: Connection) {
    // One listener for all of them: Node.js warns about many.
    connection.once('close', () => {
      for (const end of this.waiting) end()
    })
  }
}

const downloads = new WeakMap<Connection, Downloads>()

/**
 * Waits until the response of a download can be sent, so that nothing is read and no file is opened before. A client
 * may send requests without reading the responses. Over HTTP/1.1, Node.js calls all handlers at once but sends the
 * responses in order. It never closes those that are queued when the connection closes. Over HTTP/2, all responses are
 * sent at the same time: their number is limited.
 * @returns `false` if the connection closed before the turn came
 * @throws FST_TUS_TOO_MANY_DOWNLOADS
 */
export async function waitForTurn ({ raw }: FastifyRequest, { raw: response }: FastifyReply): Promise<boolean> {
  const isHttp2 = 'stream' in raw
  const connection = isHttp2 ? (raw.stream as ServerHttp2Stream).session : raw.socket
  // A stream of HTTP/2 that is closed has no session any more.
  if (connection === undefined || connection.destroyed) return false
  const state = downloads.get(connection) ?? new Downloads(connection)
  downloads.set(connection, state)
  if (state.open >= MAX_DOWNLOADS) throw new errors.TooManyDownloads()
  state.open++
  response.once('close', () => { state.open-- })
  if (isHttp2 || response.socket !== null) return true
  await new Promise<void>((resolve) => {
    const end = () => {
      state.waiting.delete(end)
      resolve()
    }
    state.waiting.add(end)
    response.once('socket', end)
  })
  return !connection.destroyed
}
