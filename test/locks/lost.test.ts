import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore, MemoryLocker, MemoryStore } from '../../plugin/index.ts'
import type { Append, AppendOptions, Capability, Lock, Locker, RequestRelease, Upload } from '../../plugin/index.ts'
import { build, OFFSET_OCTET_STREAM, until } from '../helper.ts'
import { rawRequest } from '../raw-request.ts'

/** Locks that can be lost, as leases are. */
class LeaseLocker implements Locker {
  readonly shared = true
  readonly #memory = new MemoryLocker()
  readonly #leases = new Map<string, AbortController>()

  /** The lease of an upload expires: another process may lock it. */
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
        if (lease.signal.aborted) throw new Error('the lease has expired')
      },
      lost: lease.signal
    }
  }
}

t.test('a lost lock ends the body, and the response has no Upload-Offset', async (t) => {
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
  t.equal((await head(location)).headers['upload-offset'], '3', 'bytes stored before are valid')
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.same(logs.filter(({ level }) => level >= 50), [], 'a lost lock need not be released')
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

t.test('nothing is processed or deleted under a lost lock', async (t) => {
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

t.test('the finish hook stays due if the lock is lost before it runs', async (t) => {
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

t.test('bytes that arrived before the lock was lost are not written afterwards', async (t) => {
  const locker = new LeaseLocker()
  let release = () => {}
  const isWriting = new Promise<void>((resolve) => { release = resolve })
  const written: string[] = []
  let begun = () => {}
  const hasBegun = new Promise<void>((resolve) => { begun = resolve })
  const datastore = new class extends FileStore {
    override async openAppend (upload: Upload, options: AppendOptions) {
      const append = await super.openAppend(upload, options)
      const write = append.write.bind(append)
      append.write = async (buffers, bytes) => {
        written.push(Buffer.concat(buffers).toString())
        begun()
        await isWriting
        await write(buffers, bytes)
      }
      return append
    }
  }({ directory: t.testdir() })
  const { create, stall, head } = await build(t, { locker, datastore })
  const location = await create(9)
  const { socket, response } = await stall(location, 0, 9, 'abc')
  await hasBegun
  await new Promise<void>((resolve) => socket.write('def', () => resolve()))
  // The server responds to another request only after it has read from this socket.
  t.equal((await head(await create(1))).statusCode, 200)
  locker.lose(location)
  release()
  t.equal((await response).status, 423)
  t.same(written, ['abc'])
  t.equal((await head(location)).headers['upload-offset'], '3')
})

t.test('a lock that is lost while a checksum is verified causes no rollback', async (t) => {
  const locker = new LeaseLocker()
  const ends: string[] = []
  const datastore = new class extends FileStore {
    override async openAppend (upload: Upload, options: AppendOptions) {
      const append = await super.openAppend(upload, options)
      const { rollback, commit, abandon } = append
      append.rollback = () => { ends.push('rollback'); return rollback.call(append) }
      append.commit = (options) => { ends.push('commit'); return commit.call(append, options) }
      append.abandon = () => { ends.push('abandon'); return abandon.call(append) }
      append.readBack = async function * () {
        yield Buffer.from('abc')
        locker.lose(`/files/${upload.id}`)
      }
      return append
    }
  }({ directory: t.testdir() })
  const { create, listen } = await build(t, { locker, datastore })
  const base = await listen()
  for (const digest of ['qZk+NkcGgWq6PiVxeFDCbJzQ2J0=', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=']) {
    const headers = {
      'tus-resumable': '1.0.0',
      'content-type': OFFSET_OCTET_STREAM,
      'upload-offset': '0',
      'transfer-encoding': 'chunked'
    }
    const body = `3\r\nabc\r\n0\r\nUpload-Checksum: sha1 ${digest}\r\n\r\n`
    const { response } = await rawRequest(t, base, 'PATCH', await create(6), headers, body)
    const { status, headers: { 'upload-offset': offset } } = await response
    t.equal(status, 423)
    t.equal(offset, undefined)
  }
  t.same(ends, ['abandon', 'abandon'])
})

t.test('a creation whose lock is lost leaves the upload to the process that holds it', async (t) => {
  const locker = new LeaseLocker()
  const { head, listen, logs, directory } = await build(t, { locker })
  const headers = {
    'tus-resumable': '1.0.0', 'content-type': OFFSET_OCTET_STREAM, 'upload-length': '6', 'content-length': '6'
  }
  const { response } = await rawRequest(t, await listen(), 'POST', '/files', headers, 'abc')
  let id: string | undefined
  await until(async () => {
    id = (await readdir(directory)).find((name) => !name.endsWith('.json'))
    return id !== undefined && (await stat(path.join(directory, id))).size === 3
  })
  locker.lose(`/files/${id}`)
  t.equal((await response).status, 423)
  t.match(await head(`/files/${id}`), { statusCode: 200, headers: { 'upload-offset': '3' } })
  t.same(logs.filter(({ msg }) => msg === 'upload discarded'), [])
})
