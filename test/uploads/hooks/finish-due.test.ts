import { readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import type { Upload } from '../../../plugin/index.ts'
import { build } from '../../helper.ts'

/** The two files of a complete upload, as a crash right after the last byte leaves them. */
function crashed (id: string, record: object = {}): Record<string, string> {
  const fields = { id, size: 3, offset: 0, creation_date: '2026-01-01T00:00:00.000Z', finished: false, ...record }
  return { [id]: 'abc', [`${id}.json`]: JSON.stringify(fields) }
}

/** A store whose `swept` resolves once a sweep has processed it completely. */
class WatchedStore extends FileStore {
  readonly swept: Promise<void>
  #isSwept = () => {}

  constructor (directory: string) {
    super({ directory })
    this.swept = new Promise((resolve) => { this.#isSwept = resolve })
  }

  override async removeOrphans (): Promise<number> {
    const removed = await super.removeOrphans()
    this.#isSwept()
    return removed
  }
}

t.test('EDGE-55 the sweep at startup calls an onUploadFinish that a crash prevented', async (t) => {
  const directory = t.testdir({
    ...crashed('due', { metadata: { name: 'a' } }),
    ...crashed('done', { finished: true }),
    ...crashed('half', { size: 4 })
  })
  const datastore = new WatchedStore(directory)
  const calls: Array<[request: unknown, upload: Upload]> = []
  const { head } = await build(t, {
    datastore,
    onUploadFinish: (...call) => { calls.push(call) }
  })
  await datastore.swept
  t.match(calls, [[null, { id: 'due', size: 3, offset: 3, metadata: { name: 'a' } }]])
  const record = await readFile(path.join(directory, 'due.json'), 'utf8')
  t.match(JSON.parse(record), { finished: true, metadata: { name: 'a' } })
  t.equal((await head('/files/due')).statusCode, 200)
  t.equal(calls.length, 1)
})

t.test('EDGE-55 HEAD calls an onUploadFinish that failed in the sweep', async (t) => {
  const datastore = new WatchedStore(t.testdir(crashed('due')))
  const calls: Array<string | undefined> = []
  let failing = true
  const { head, logs } = await build(t, {
    datastore,
    onUploadFinish: async (request) => {
      calls.push(request?.url)
      if (failing) throw new Error('no connection')
    }
  })
  await datastore.swept
  t.same(calls, [undefined])
  t.match(logs.filter(({ level }) => level === 40), [
    { msg: 'onUploadFinish failed', uploadId: 'due' },
    { msg: 'upload not swept', uploadId: 'due', err: { code: 'FST_TUS_FINISH_DUE' } }
  ])
  t.equal((await head('/files/due')).statusCode, 423)
  failing = false
  t.match(await head('/files/due'), { statusCode: 200, headers: { 'upload-offset': '3', 'upload-length': '3' } })
  t.equal((await head('/files/due')).statusCode, 200)
  t.same(calls, [undefined, '/files/due', '/files/due'])
})

t.test('onUploadFinish is not called again for an upload that @tus/file-store completed', async (t) => {
  // Its records do not show whether the hook is due.
  const datastore = new WatchedStore(t.testdir(crashed('theirs', { finished: undefined })))
  let calls = 0
  const { app, head, patch } = await build(t, { datastore, onUploadFinish: () => { calls++ } })
  await datastore.swept
  t.match(await head('/files/theirs'), { statusCode: 200, headers: { 'upload-offset': '3' } })
  t.equal((await patch('/files/theirs', 3)).statusCode, 204)
  t.equal((await app.inject('/files/theirs')).body, 'abc')
  t.equal(calls, 0)
})

t.test('onUploadFinish is called once for an upload that @tus/file-store began', async (t) => {
  const half = crashed('theirs', { finished: undefined, size: 6 })
  let calls = 0
  const { head, patch } = await build(t, { directory: t.testdir(half), onUploadFinish: () => { calls++ } })
  t.equal((await head('/files/theirs')).headers['upload-offset'], '3')
  t.equal((await patch('/files/theirs', 3, 'def')).statusCode, 204)
  t.equal((await patch('/files/theirs', 6)).statusCode, 204)
  t.equal((await head('/files/theirs')).statusCode, 200)
  t.equal(calls, 1)
})
