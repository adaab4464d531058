import { FileStore as TusFileStore } from '@tus/file-store'
import { FileStore, MemoryStore } from '../../plugin/index.ts'
import type { Capability, Durability } from '../../plugin/index.ts'
import { skip, startRig } from '../stores/s3/rig.ts'
import { FinishedOnlyStore } from './finished-only-store.ts'
import { storeContract } from './store.ts'

const everything: Capability[] = [
  'creation', 'creation-with-upload', 'read', 'read-unfinished', 'ranges', 'termination', 'deferred-length', 'checksum',
  'concatenation', 'updates', 'expiration'
]

for (const durability of ['none', 'finished', 'every-append'] satisfies Durability[]) {
  storeContract(`FileStore with durability ${durability}`, {
    capabilities: everything,
    start: (t) => {
      const directory = t.testdir()
      return { open: () => new FileStore({ directory, durability }) }
    }
  })
}

storeContract('FileStore with exclusive access', {
  capabilities: everything,
  persists: false,
  start: (t) => {
    const store = new FileStore({ directory: t.testdir(), exclusive: true })
    t.teardown(() => store.close())
    return { open: () => store }
  }
})

storeContract('MemoryStore', {
  capabilities: everything,
  persists: false,
  start: () => {
    const store = new MemoryStore()
    return { open: () => store }
  }
})

storeContract('a store that reads complete uploads only', {
  capabilities: [
    'creation', 'creation-with-upload', 'read', 'ranges', 'termination', 'deferred-length', 'updates', 'expiration'
  ],
  persists: false,
  start: () => {
    const store = new FinishedOnlyStore()
    return { open: () => store }
  }
})

storeContract('FileStore of @tus/file-store', {
  capabilities: ['creation', 'creation-with-upload', 'read', 'termination', 'deferred-length'],
  start: (t) => {
    const directory = t.testdir()
    return { open: () => new TusFileStore({ directory }) }
  },
  fails: ['an id is never overwritten']
})

storeContract('S3Store', {
  capabilities: [...everything, 'fencing'],
  start: async (t) => await startRig(t),
  skip
})

storeContract('S3Store without conditional writes', {
  capabilities: everything,
  start: async (t) => await startRig(t, { conditionalWrites: false }),
  skip
})
