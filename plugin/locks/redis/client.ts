/** The connection that receives messages. */
export interface RedisSubscriber {
  subscribe (...channels: string[]): Promise<unknown>
  on (event: 'message', listener: (channel: string, message: string) => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  disconnect (): void
}

/**
 * What the locker needs of a client of Redis. `Redis` and `Cluster` of `ioredis` and `iovalkey` have it; others need an
 * adapter.
 */
export interface RedisClient {
  evalsha (sha: string, keys: number, ...args: string[]): Promise<unknown>
  eval (script: string, keys: number, ...args: string[]): Promise<unknown>
  publish (channel: string, message: string): Promise<unknown>
  /** Another connection with the same options. It subscribes again after a reconnection. */
  duplicate (): RedisSubscriber
}
