import type { Test } from 'tap'
import { type Engine, startEngine } from './engine.ts'
import { programOf } from './programs.js'

/** Starts an empty Redis that keeps nothing on disk. */
export async function startRedis (t: Test, args: string[] = []): Promise<Engine> {
  return await startEngine(t, {
    program: programOf('redis') as string,
    args: (port, directory) => [
      '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory, ...args
    ]
  })
}
