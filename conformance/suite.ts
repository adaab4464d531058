import { discover, discoverLimits } from './features.ts'
import { Server } from './server.ts'
import { Failure, Skip } from './outcome.ts'
import type { Features } from './features.ts'
import type { Protocol, Transport } from './transport.ts'

/** The reason to skip a check that the protocol leaves open. */
export const LEFT_TO_THE_SERVER = 'left to the server'

/** One requirement of the protocol, or one case of it. Several cases may share an id. */
export interface Requirement {
  /** Its id in the checklist, such as `PATCH-02`. */
  id: string
  title: string
  /** The extensions that the server must advertise; otherwise the check is skipped. */
  needs?: string[] | undefined
  /** The only protocol that the requirement applies to. */
  only?: Protocol | undefined
  /** The protocol leaves this to the server: checked only in strict mode. */
  choice?: boolean | undefined
  run (t: Server): Promise<void>
}

/** The protocols of uploads that the suite knows. */
export const uploadProtocols = ['tus', 'resumable-upload'] as const

export type UploadProtocol = (typeof uploadProtocols)[number]

/** The options of the suite, with the known properties that the server does not advertise. */
export interface SuiteOptions {
  /** The protocol of uploads. Default `tus`. */
  protocol?: UploadProtocol | undefined
  /** Accepts only the recommended responses, as sent by fastify-tus. Default `false`. */
  strict?: boolean | undefined
  /** The time limit for each response, in ms. Default 10 seconds. */
  timeout?: number | undefined
  /** Headers to send with every request. */
  headers?: Record<string, string> | undefined
  /** The lifetime of unfinished uploads on this server, in ms. */
  expiresWithin?: number | undefined
  /** The interval at which this server deletes expired uploads, in ms. */
  sweepsEvery?: number | undefined
  /** How long this server waits for more bytes of a body, in ms. */
  idleTimeout?: number | undefined
}

/** The result of a requirement. */
export interface Result {
  id: string
  title: string
  status: 'pass' | 'fail' | 'skip'
  /** The deciding exchange: the failed one, otherwise the last. */
  sent: string
  expected: string
  came: string
  /** The exchanges before it, one line each. */
  before: string[]
  /** The reason for a skip, or for a failure outside an exchange. */
  reason: string
}

/** Runs requirements against a server. */
export class Suite {
  readonly features: Features
  #url: URL
  #transport: Transport
  #options: SuiteOptions

  private constructor (url: URL, transport: Transport, options: SuiteOptions, features: Features) {
    this.#url = url
    this.#transport = transport
    this.#options = options
    this.features = features
  }

  /** Discovers the features of the server. Rejects if it is unreachable, or not a tus server but should be one. */
  static async open (url: URL, transport: Transport, options: SuiteOptions = {}): Promise<Suite> {
    const find = options.protocol === 'resumable-upload' ? discoverLimits : discover
    return new Suite(url, transport, options, await find(url, transport, options))
  }

  async run (requirement: Requirement): Promise<Result> {
    const { id, title } = requirement
    const t = new Server(this.#url, this.#transport, this.features, this.#options)
    try {
      const reason = this.#reasonToSkip(requirement)
      if (reason !== '') throw new Skip(reason)
      await requirement.run(t)
      return { id, title, status: 'pass', ...t.record, reason: '' }
    } catch (error) {
      if (error instanceof Skip) {
        return { id, title, status: 'skip', sent: '', expected: '', came: '', before: [], reason: error.message }
      }
      const reason = error instanceof Failure ? error.message : `the check was aborted: ${(error as Error).message}`
      return { id, title, status: 'fail', ...t.record, reason }
    } finally {
      await t.close()
    }
  }

  #reasonToSkip ({ needs = [], choice = false }: Requirement): string {
    const missing = needs.filter(extension => !this.features.extensions.includes(extension))
    if (missing.length > 0) return `the server does not advertise ${missing.join(', ')}`
    if (choice && this.#options.strict !== true) return LEFT_TO_THE_SERVER
    return ''
  }
}
