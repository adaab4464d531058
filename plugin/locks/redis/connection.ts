import type { RedisClient, RedisSubscriber } from './client.ts'
import type { Script } from './scripts.ts'

/** How long a command may take, in ms. */
const DEADLINE_MS = 3000

/** Runs scripts with a deadline, and receives messages on a connection of its own. */
export class Connection {
  readonly #client: RedisClient
  readonly #channels: string[]
  readonly #onMessage: (channel: string, message: string) => void
  #subscriber: RedisSubscriber | undefined
  #subscribing: Promise<unknown> | undefined

  constructor (client: RedisClient, channels: string[], onMessage: (channel: string, message: string) => void) {
    this.#client = client
    this.#channels = channels
    this.#onMessage = onMessage
  }

  async run ({ text, sha }: Script, keys: string[], args: string[]): Promise<unknown> {
    return await this.#inTime(async () => {
      try {
        return await this.#client.evalsha(sha, keys.length, ...keys, ...args)
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error
        return await this.#client.eval(text, keys.length, ...keys, ...args)
      }
    })
  }

  /** A message may be lost, so a failure changes nothing. */
  publish (channel: string, message: string): void {
    this.#client.publish(channel, message).catch(() => {})
  }

  /** Resolves once messages are received. */
  async subscribe (): Promise<void> {
    this.#subscribing ??= this.#open()
    const subscribing = this.#subscribing
    await this.#inTime(() => subscribing)
  }

  close (): void {
    this.#subscriber?.disconnect()
    this.#subscriber = this.#subscribing = undefined
  }

  async #open (): Promise<void> {
    const subscriber = this.#client.duplicate()
    this.#subscriber = subscriber
    // Clients report each failed attempt to connect, and try again.
    subscriber.on('error', () => {})
    subscriber.on('message', this.#onMessage)
    try {
      await subscriber.subscribe(...this.#channels)
    } catch (error) {
      subscriber.disconnect()
      if (this.#subscriber === subscriber) this.#subscriber = this.#subscribing = undefined
      throw error
    }
  }

  async #inTime<T> (work: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`Redis has not responded within ${DEADLINE_MS} ms`)
      timer = setTimeout(() => reject(error), DEADLINE_MS)
    })
    try {
      return await Promise.race([work(), late])
    } finally {
      clearTimeout(timer)
    }
  }
}
