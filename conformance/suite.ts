import { discover } from './features.ts'
import { Server } from './server.ts'
import { Failure, Skip } from './outcome.ts'
import type { Features } from './features.ts'
import type { Protocol, Transport } from './transport.ts'

/** Why something that the protocol leaves open is skipped. */
export const LEFT_TO_THE_SERVER = 'left to the server'

/** One requirement of the protocol, or one case of it: several may share an id. */
export interface Requirement {
  /** Of the checklist: `PATCH-02`, `EDGE-31`. */
  id: string
  title: string
  /** Extensions that the server must advertise for this to be asked of it. */
  needs?: string[] | undefined
  /** The only protocol that has this on its wire. */
  only?: Protocol | undefined
  /** The protocol leaves this to the server: asked for only strictly. */
  choice?: boolean | undefined
  run (t: Server): Promise<void>
}

/** How to judge, and what is known of the server beyond what it tells. */
export interface SuiteOptions {
  /** Accepts only the recommended answers, which are those of fastify-tus. Default `false`. */
  strict?: boolean | undefined
  /** How long any answer may take, in ms: a limit against hanging. Default 10 seconds. */
  timeout?: number | undefined
  /** Headers to send with every request. */
  headers?: Record<string, string> | undefined
  /** After how long unfinished uploads of this server expire, in ms. */
  expiresWithin?: number | undefined
  /** How often this server deletes what has expired, in ms. */
  sweepsEvery?: number | undefined
  /** After how long without a byte this server gives a body up, in ms. */
  idleTimeout?: number | undefined
}

/** What became of a requirement. */
export interface Result {
  id: string
  title: string
  status: 'pass' | 'fail' | 'skip'
  /** The deciding exchange: that which failed, or the last one. */
  sent: string
  expected: string
  came: string
  /** The exchanges before it, each in a line. */
  before: string[]
  /** Why it was skipped, or failed without an exchange. */
  reason: string
}

/** A server that requirements are run against. */
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

  /** Asks the server what it offers. Rejects where it cannot be reached, or is no tus server. */
  static async open (url: URL, transport: Transport, options: SuiteOptions = {}): Promise<Suite> {
    return new Suite(url, transport, options, await discover(url, transport, options))
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
      const reason = error instanceof Failure ? error.message : `the check could not go on: ${(error as Error).message}`
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
