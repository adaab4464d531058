// Acquires the lock of an upload in a process of its own, and reports what happens to it.
import { Redis } from 'ioredis'
import { RedisLocker } from '../../../plugin/locks/redis/index.ts'

const { PORT = '', TTL = '' } = process.env
const client = new Redis({ host: '127.0.0.1', port: Number(PORT), retryStrategy: () => 10 })
const report = (text: string) => { process.send?.(text) }
const lock = new RedisLocker({ client, ttl: Number(TTL) }).newLock('a')
report('waiting')
await lock.lock(new AbortController().signal, () => report('asked'))
const lost = lock.lost as AbortSignal
lost.addEventListener('abort', () => report(`lost: ${(lost.reason as Error).message}`))
report('held')
process.on('message', () => {
  lock.unlock().then(() => report('unlocked'), (error: Error) => report(error.message))
})
