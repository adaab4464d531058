import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { programOf } from '../../src/demo/engines/programs.ts'
import { redisRecipe } from '../../src/demo/engines/recipes.ts'
import { type Engine, startEngine } from './engine.ts'

/** Starts an empty Redis that keeps nothing on disk. */
export async function startRedis (t: Test, args: string[] = []): Promise<Engine> {
  return await startEngine(t, {
    program: programOf('redis') as string,
    args: (port, directory) => [...redisRecipe.args(port, directory), ...args]
  })
}

/** A client that connects again at once, and is closed after the test. */
export function connectTo (t: Test, { port }: { port: number }): Redis {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 10 })
  // Tests stop the server; commands that fail then report it themselves.
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}
