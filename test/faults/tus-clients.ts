/** Clients that upload one file after the other with tus-js-client, and note each failed request. */
import assert from 'node:assert/strict'
import { Agent, type ClientRequest } from 'node:http'
import { readFile, rm } from 'node:fs/promises'
import net, { type Socket } from 'node:net'
import path from 'node:path'
import { DefaultHttpStack, Upload, type DetailedError, type HttpRequest, type HttpResponse } from 'tus-js-client'
import { dice } from './dice.ts'
import { sampleBytes } from '../helper.ts'

/** A connection without a byte for this long, in ms, has been forgotten by the server: nothing waits that long. */
const FORGOTTEN = 60_000

const KIB = 1024
const content = sampleBytes(1024 * KIB)

export interface FailedRequest {
  text: string
  /** The port of the client; `undefined` if it was not connected. */
  port: number | undefined
  /** When the connection began, in ms since the epoch. */
  since: number
  /** When it had ended, in ms since the epoch. */
  end: number
  /** Whether the connection ended without a response. */
  isCut: boolean
  /** Whether a kill was under way at some time of the connection. */
  isDuringKill: boolean
}

export interface Rig {
  endpoint: string
  directory: string
  seed: number
  /** How many kills have begun, and of how many the server has noticed the end. */
  kills: { begun: number, ended: number }
  onResponse: () => void
  onFailed: (failed: FailedRequest) => void
}

/** What sockets do not report after their end. */
interface Connection {
  port: number | undefined
  /** When it began, in ms since the epoch, and `kills.ended` at that time. */
  since: number
  ended: number
}

export class TusClient {
  uploads = 0
  readonly #rig: Rig
  readonly #next: () => number
  readonly #connections = new WeakMap<Socket, Connection>()
  readonly #agent: Agent

  /** Every other client uses a new connection for each request. */
  constructor (number: number, rig: Rig) {
    this.#rig = rig
    this.#next = dice(rig.seed + number)
    this.#agent = new Agent({ keepAlive: number % 2 === 0 })
    Object.assign(this.#agent, { createConnection: (to: net.NetConnectOpts) => this.#connect(to) })
  }

  /** Uploads files until it shall not, and finishes the last one. */
  async run (goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      const from = Math.floor(this.#next() * content.length / 2)
      const bytes = content.subarray(from, from + 1 + Math.floor(this.#next() * content.length / 2))
      const file = path.join(this.#rig.directory, path.basename(await this.#upload(bytes)))
      assert((await readFile(file)).equals(bytes), `${file} has other bytes than were sent`)
      await Promise.all([rm(file), rm(`${file}.json`)])
      this.uploads++
    }
    this.#agent.destroy()
  }

  async #upload (bytes: Buffer): Promise<string> {
    let acknowledged = 0
    return await new Promise((resolve, reject) => {
      const upload = new Upload(bytes, {
        endpoint: this.#rig.endpoint,
        httpStack: new DefaultHttpStack({ agent: this.#agent }),
        chunkSize: Math.ceil((8 + this.#next() * 56) * KIB),
        uploadDataDuringCreation: this.#next() < 0.5,
        // Progress starts them again.
        retryDelays: [0, 50, 100, 200, 400, 800, 1600],
        onAfterResponse: (request, response) => {
          this.#checkStatus(request, response)
          const offset = Number(response.getHeader('upload-offset') ?? 0)
          if (request.getMethod() === 'HEAD' && offset < acknowledged) {
            reject(new Error(`${acknowledged} bytes were acknowledged, HEAD returns ${offset}: ${upload.url}`))
          }
          acknowledged = Math.max(acknowledged, offset)
          this.#rig.onResponse()
        },
        onShouldRetry: (error) => {
          if (error.originalResponse === null) this.#noteCut(error)
          return true
        },
        onError: reject,
        onSuccess: () => resolve(String(upload.url))
      })
      upload.start()
    })
  }

  #connect (to: net.NetConnectOpts): Socket {
    const connection: Connection = { port: undefined, since: Date.now(), ended: this.#rig.kills.ended }
    const socket = net.connect(to)
    this.#connections.set(socket, connection)
    socket.setTimeout(FORGOTTEN, () => socket.destroy(new Error(`no byte for ${FORGOTTEN} ms`)))
    socket.once('connect', () => { connection.port = socket.localPort })
    return socket
  }

  #checkStatus (request: HttpRequest, response: HttpResponse): void {
    const status = response.getStatus()
    if (status < 300) return
    const text = `${request.getMethod()} ${request.getURL()} returns ${status} ${response.getBody()}`
    this.#note(request, text, false)
  }

  #noteCut ({ originalRequest, causingError }: DetailedError): void {
    const { message, code = '' } = (causingError ?? {}) as NodeJS.ErrnoException
    const isCut = ['ECONNRESET', 'EPIPE'].includes(code)
    this.#note(originalRequest, `${originalRequest.getMethod()} ${originalRequest.getURL()}: ${message}`, isCut)
  }

  #note (request: HttpRequest, text: string, isCut: boolean): void {
    const { socket } = request.getUnderlyingObject() as ClientRequest
    const { port, since = 0, ended = 0 } = (socket && this.#connections.get(socket)) ?? {}
    this.#rig.onFailed({ text, port, since, end: Date.now(), isCut, isDuringKill: ended < this.#rig.kills.begun })
  }
}
