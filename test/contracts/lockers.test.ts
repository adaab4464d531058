import { MemoryLocker as TusMemoryLocker } from '@tus/server'
import { LocalLocker, MemoryLocker } from '../../plugin/index.ts'
import { RedisLocker } from '../../plugin/locks/redis/index.ts'
import { skipWithout } from '../engines/skip.ts'
import { connectTo, startRedis } from '../engines/redis.ts'
import { lockerContract } from './locker.ts'

lockerContract('MemoryLocker', {
  start: () => {
    const locker = new MemoryLocker()
    return { open: () => locker }
  },
  isShared: false,
  isFair: true,
  canTry: true
})

lockerContract('LocalLocker', {
  start: (t) => {
    const directory = t.testdir()
    return { open: () => new LocalLocker({ directory }) }
  },
  isShared: true,
  isFair: true,
  canTry: true
})

lockerContract('RedisLocker', {
  start: async (t) => {
    const redis = await startRedis(t)
    return { open: () => new RedisLocker({ client: connectTo(t, redis) }) }
  },
  isShared: true,
  isFair: true,
  canTry: true,
  skip: skipWithout('redis')
})

lockerContract('MemoryLocker of @tus/server', {
  start: () => {
    const locker = new TusMemoryLocker({ acquireLockTimeout: 1000 })
    return { open: () => locker }
  },
  isShared: false,
  isFair: false,
  canTry: false,
  fails: [
    'shared says whether other processes use the locker',
    'a holder whose callback throws keeps the lock until it releases it'
  ]
})
