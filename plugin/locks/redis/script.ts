import { createHash } from 'node:crypto'
import type { RedisClient } from './client.ts'

/** How long a command may take, in ms. */
const DEADLINE_MS = 3000

/** A script in Lua. Redis runs it atomically, and knows it by its hash. */
export interface Script {
  text: string
  sha: string
}

export function scriptOf (text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

export async function runScript (
  client: RedisClient, { text, sha }: Script, keys: string[], args: string[]
): Promise<unknown> {
  return await inTime(async () => {
    try {
      return await client.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!String(error).includes('NOSCRIPT')) throw error
      return await client.eval(text, keys.length, ...keys, ...args)
    }
  })
}

/** Rejects if a command takes too long: clients wait for a connection without end. */
export async function inTime<T> (work: () => Promise<T>): Promise<T> {
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
