import { MemoryLocker as TusMemoryLocker } from '@tus/server'
import { LocalLocker, MemoryLocker } from '../../plugin/index.ts'
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
