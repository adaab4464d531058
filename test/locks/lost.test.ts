import t from 'tap'
import { FileStore, MemoryLocker, MemoryStore } from '../../plugin/index.ts'
import type { Append, AppendOptions, Capability, Lock, Locker, RequestRelease, Upload } from '../../plugin/index.ts'
import { build, until } from '../helper.ts'

/** Locks that can be lost, as leases are. */
class LeaseLocker implements Locker {
  readonly shared = true
  readonly #memory = new MemoryLocker()
  readonly #leases = new Map<string, AbortController>()

  /** The lease of an upload runs out: another process may lock it. */
  lose (location: string): void {
    const id = location.slice('/files/'.length)
    this.#leases.get(id)?.abort()
    this.#leases.delete(id)
  }

  newLock (id: string): Lock {
    const lock = this.#memory.newLock(id)
    const lease = new AbortController()
    return {
      lock: async (signal: AbortSignal, requestRelease: RequestRelease) => {
        await lock.lock(signal, requestRelease)
        this.#leases.set(id, lease)
      },
      unlock: async () => {
        await lock.unlock()
        if (lease.signal.aborted) throw new Error('the lease has run out')
      },
      lost: lease.signal
    }
  }
}

t.test('a lost lock ends the body, and its response claims no offset', async (t) => {
  const locker = new LeaseLocker()
  const { create, stall, untilStored, head, patch, logs } = await build(t, { locker })
  const location = await create(6)
  const { response } = await stall(location, 0, 6, 'abc')
  await untilStored(location, 3)
  locker.lose(location)
  const lost = await response
  t.equal(lost.status, 423)
  t.equal(JSON.parse(lost.body).code, 'FST_TUS_LOCK_LOST')
  t.equal(lost.headers['upload-offset'], undefined)
  t.equal((await head(location)).headers['upload-offset'], '3', 'what was stored before is valid')
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.same(logs.filter(({ level }) => level >= 50), [], 'a lock that is lost need not be released')
})

t.test('a lost lock leaves a verified upload at its verified offset', async (t) => {
  const locker = new LeaseLocker()
  const { create, stall, untilStored, head, patch, stored } = await build(t, { locker })
  const location = await create(6)
  const { response } = await stall(location, 0, 6, 'xyz', { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' })
  await untilStored(location, 3)
  locker.lose(location)
  t.equal((await response).status, 423)
  t.equal((await head(location)).headers['upload-offset'], '0')
  t.equal((await patch(location, 0, 'abcdef')).statusCode, 204)
  t.equal((await stored(location)).toString(), 'abcdef')
})

t.test('a store that fails to abandon an append is logged', async (t) => {
  const locker = new LeaseLocker()
  const datastore = new class extends FileStore {
    override async openAppend (upload: Upload, options: AppendOptions) {
      const append = await super.openAppend(upload, options)
      append.abandon = async () => { throw new Error('not closed') }
      return append
    }
  }({ directory: t.testdir() })
  const { create, stall, head, logs } = await build(t, { locker, datastore })
  const location = await create(6)
  const { response } = await stall(location, 0, 6, 'abc')
  await until(async () => (await datastore.getUpload(location.slice('/files/'.length))).offset === 3)
  locker.lose(location)
  t.equal((await response).status, 423)
  t.match(logs.filter(({ level }) => level === 50), [{ msg: 'append not closed', err: { message: /not closed/ } }])
  t.equal((await head(location)).statusCode, 200)
})

t.test('a store that fences commits decides itself about a lost lock', async (t) => {
  const locker = new LeaseLocker()
  const commits: string[] = []
  const datastore = new class extends MemoryStore {
    override readonly capabilities: ReadonlySet<Capability> = new Set<Capability>(['creation', 'read', 'fencing'])
    override async openAppend (upload: Upload, options: AppendOptions): Promise<Append> {
      const append = await super.openAppend(upload, options)
      const commit = append.commit.bind(append)
      append.commit = (options) => {
        commits.push(upload.id)
        return commit(options)
      }
      return append
    }
  }()
  const { create, stall, head } = await build(t, { locker, datastore })
  const location = await create(6)
  const id = location.slice('/files/'.length)
  const { response } = await stall(location, 0, 6, 'abc')
  await until(async () => (await datastore.getUpload(id)).offset === 3)
  locker.lose(location)
  t.match(await response, { status: 423, headers: { 'upload-offset': '3' } })
  t.same(commits, [id])
  t.equal((await head(location)).headers['upload-offset'], '3')
})

t.test('nothing is processed or deleted under a lock that is lost', async (t) => {
  const locker = new LeaseLocker()
  let lose = ''
  const datastore = new class extends FileStore {
    override async getUpload (id: string) {
      const upload = await super.getUpload(id)
      if (lose.endsWith(id)) locker.lose(`/files/${id}`)
      return upload
    }
  }({ directory: t.testdir() })
  const finished: string[] = []
  const { create, patch, head, request } = await build(t, {
    locker, datastore, onUploadFinish: (_request, { id }) => { finished.push(id) }
  })
  const location = await create(3)
  lose = location
  t.equal((await patch(location, 0, 'abc')).json().code, 'FST_TUS_LOCK_LOST')
  t.equal((await request('DELETE', location)).json().code, 'FST_TUS_LOCK_LOST')
  t.same(finished, [])
  lose = 'nothing'
  t.equal((await head(location)).headers['upload-offset'], '0')
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  t.equal(finished.length, 1)
})

t.test('the finish hook stays due if the lock is lost before it', async (t) => {
  const locker = new LeaseLocker()
  let isLosing = false
  const datastore = new class extends FileStore {
    override async sync (upload: Upload) {
      await super.sync(upload)
      if (isLosing && upload.offset === 3) locker.lose(`/files/${upload.id}`)
    }
  }({ directory: t.testdir() })
  let calls = 0
  const { create, patch, head } = await build(t, { locker, datastore, onUploadFinish: () => { calls++ } })
  const location = await create(3)
  isLosing = true
  t.equal((await patch(location, 0, 'abc')).statusCode, 423)
  t.equal((await head(location)).statusCode, 423)
  t.equal(calls, 0)
  isLosing = false
  t.equal((await head(location)).headers['upload-offset'], '3')
  t.equal(calls, 1)
})

t.test('a lock that is lost before the work begins ends it at once', async (t) => {
  const memory = new MemoryLocker()
  let lost: AbortSignal | undefined
  const locker: Locker = {
    newLock: (id) => {
      const lock = memory.newLock(id)
      return { lock: lock.lock.bind(lock), unlock: lock.unlock.bind(lock), ...lost === undefined ? {} : { lost } }
    }
  }
  const { create, patch, head } = await build(t, { locker })
  const location = await create(3)
  lost = AbortSignal.abort()
  t.equal((await patch(location, 0, 'abc')).json().code, 'FST_TUS_LOCK_LOST')
  lost = undefined
  t.equal((await head(location)).headers['upload-offset'], '0')
})
