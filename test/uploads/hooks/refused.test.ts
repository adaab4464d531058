import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { build, until } from '../../helper.ts'

const refuse = () => { throw Object.assign(new Error('a virus'), { statusCode: 422 }) }

t.test('an upload that the finish hook refuses is not served, and expires', async (t) => {
  const app = await build(t, { expiration: { period: 60_000 }, onUploadFinish: refuse })
  const location = await app.create(3)
  t.match(await app.patch(location, 0, 'abc'), { statusCode: 422, body: /a virus/ })
  t.equal((await app.request('GET', location)).statusCode, 410)
  t.equal((await app.head(location)).statusCode, 410, 'a client that lost the response sees that it is gone')
  t.equal((await app.patch(location, 3)).statusCode, 410)
})

t.test('a sweep deletes an upload that the finish hook refused once it has expired', async (t) => {
  const expired: string[] = []
  const app = await build(t, {
    expiration: { period: 1, sweepInterval: 1 },
    onUploadFinish: refuse,
    onUploadExpire: ({ id }) => { expired.push(id) }
  })
  const response = await app.patch(await app.create(3), 0, 'abc')
  t.ok([410, 422].includes(response.statusCode))
  await until(() => expired.length > 0)
  t.same(await fs.readdir(app.directory), [])
})

t.test('an upload that the finish hook accepts no longer expires', async (t) => {
  const app = await build(t, { expiration: { period: 60_000 }, onUploadFinish: () => {} })
  const location = await app.create(3)
  await app.patch(location, 0, 'abc')
  t.notOk('upload-expires' in (await app.head(location)).headers)
})

t.test('a finish hook that removes the upload leaves nothing of it', async (t) => {
  const directory = t.testdir()
  const store = new FileStore({ directory })
  for (const then of [refuse, () => {}]) {
    const app = await build(t, {
      datastore: store,
      onUploadFinish: async (_request, { id }) => {
        await store.remove(id)
        then()
      }
    })
    const location = await app.create(3)
    await app.patch(location, 0, 'abc')
    t.same(await fs.readdir(directory), [])
    t.equal((await app.head(location)).statusCode, 404)
    await app.app.close()
  }
})

t.test('a finish hook that moves the file away leaves a record that a sweep collects', async (t) => {
  const directory = t.testdir({ uploads: {} })
  const uploads = path.join(directory, 'uploads')
  const app = await build(t, {
    directory: uploads,
    onUploadFinish: (_request, { id, storage }) => fs.rename(String(storage?.path), path.join(directory, id))
  })
  const location = await app.create(3)
  t.equal((await app.patch(location, 0, 'abc')).statusCode, 204)
  t.equal((await app.head(location)).statusCode, 410)
})
