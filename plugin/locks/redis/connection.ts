import type { RedisClient, RedisSubscriber } from './client.ts'
import { inTime, runScript, type Script } from './script.ts'

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

  async run (script: Script, keys: string[], args: string[]): Promise<unknown> {
    return await runScript(this.#client, script, keys, args)
  }

  /** A message may be lost, so a failure changes nothing. */
  publish (channel: string, message: string): void {
    this.#client.publish(channel, message).catch(() => {})
  }

  /** Resolves once messages are received. */
  async subscribe (): Promise<void> {
    this.#subscribing ??= this.#open()
    const subscribing = this.#subscribing
    await inTime(() => subscribing)
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
}
