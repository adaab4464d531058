import t from 'tap'
import { Memory } from '../../example-client/src/memory.ts'
import type { KeyValueStorage } from '../../example-client/src/memory.ts'

const day = 24 * 60 * 60 * 1000

function storageOf (entries: Record<string, string> = {}): KeyValueStorage {
  const map = new Map(Object.entries(entries))
  return {
    get length () { return map.size },
    key: index => [...map.keys()][index] ?? null,
    getItem: key => map.get(key) ?? null,
    setItem: (key, value) => { map.set(key, value) },
    removeItem: key => { map.delete(key) }
  }
}

t.test('an upload is remembered by its endpoint and its fingerprint until it is deleted', async t => {
  const storage = storageOf()
  const memory = new Memory(storage, '/files')
  const upload = { url: '/files/1', name: 'a.mp4', savedAt: 1 }
  memory.set('f1', upload)
  t.same(memory.get('f1'), upload)
  t.equal(memory.get('f2'), null)
  t.equal(new Memory(storage, '/other').get('f1'), null)
  memory.delete('f1')
  t.equal(memory.get('f1'), null)
})

t.test('the latest upload is found, and those older than a week are forgotten', async t => {
  const storage = storageOf({ foreign: 'x', 'fastify-tus:/files:broken': '{' })
  const memory = new Memory(storage, '/files')
  memory.set('old', { url: '/files/1', name: 'old', savedAt: 0 })
  memory.set('new', { url: '/files/2', name: 'new', savedAt: 9 * day })
  memory.set('middle', { url: '/files/3', name: 'middle', savedAt: 8 * day })
  t.equal(memory.latest(10 * day)?.name, 'new')
  t.equal(memory.get('old'), null)
  t.equal(memory.get('middle')?.name, 'middle')
  t.equal(storage.length, 3, 'what belongs to others stays, what cannot be read goes')
  t.equal(storage.getItem('foreign'), 'x')
})

t.test('without a storage, or with a full one, nothing is remembered and nothing fails', async t => {
  const full = { ...storageOf(), setItem () { throw new Error('QuotaExceededError') } }
  for (const storage of [null, full]) {
    const memory = new Memory(storage, '/files')
    memory.set('f', { url: '/files/1', name: 'a', savedAt: 1 })
    memory.delete('f')
    t.equal(memory.get('f'), null)
    t.equal(memory.latest(1), null)
  }
})
