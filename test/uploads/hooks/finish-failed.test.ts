import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { Test } from 'tap'
import { FileStore } from '../../../plugin/index.ts'
import { type FileSystem, fileSystem } from '../../../plugin/stores/file/file-system/file-system.ts'
import { build, OFFSET_OCTET_STREAM, temporaryDirectory } from '../../helper.ts'
import type { Built } from '../../helper.ts'

interface Failing extends Built {
  calls: Array<string | undefined>
  /** What the hook throws from now on, if anything. */
  failWith (error: unknown): void
}

async function buildFailing (t: Test): Promise<Failing> {
  const calls: Array<string | undefined> = []
  let failure: unknown
  const built = await build(t, {
    onUploadFinish: async (request) => {
      calls.push(request?.method)
      if (failure !== undefined) throw failure
      return { headers: { 'x-processed': 'yes' } }
    }
  })
  return { ...built, calls, failWith: (error) => { failure = error } }
}

async function isMarked ({ directory }: Built, location: string): Promise<boolean> {
  const record = await readFile(`${directory}/${location.slice('/files/'.length)}.json`, 'utf8')
  return (JSON.parse(record) as { finished: boolean }).finished
}

t.test('EDGE-54 a 4xx of onUploadFinish is final', async (t) => {
  const built = await buildFailing(t)
  const { create, patch, head, calls, failWith } = built
  failWith(Object.assign(new Error('not a video'), { statusCode: 422 }))
  const location = await create(3)
  const response = await patch(location, 0, 'abc')
  t.equal(response.statusCode, 422)
  t.equal(response.json().message, 'not a video')
  t.ok(await isMarked(built, location))
  t.equal((await head(location)).statusCode, 410)
  t.equal((await patch(location, 3)).statusCode, 410)
  t.same(calls, ['PATCH'])
})

t.test('EDGE-54 an onUploadFinish that fails unexpectedly is retried until it succeeds', async (t) => {
  const built = await buildFailing(t)
  const { create, patch, head, logs, calls, failWith } = built
  failWith(new Error('no connection to 10.0.0.7'))
  const location = await create(3)
  const response = await patch(location, 0, 'abc')
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'FST_TUS_HOOK_FAILED', message: 'Upload processing failed' })
  t.notMatch(response.body, '10.0.0.7')
  t.notOk(await isMarked(built, location))

  for (let i = 0; i < 2; i++) {
    // tus-js-client retries after 423; after 5xx it would start over, after 200 it would be done.
    t.match(await head(location), { statusCode: 423, headers: { 'retry-after': '1', 'upload-offset': undefined } })
  }
  t.match(logs.filter(({ msg }) => msg === 'onUploadFinish failed'), [{ level: 40 }, { level: 40 }])
  t.same(calls, ['PATCH', 'HEAD', 'HEAD'])
  t.notOk(await isMarked(built, location))

  failWith(undefined)
  t.match(await head(location), { statusCode: 200, headers: { 'upload-offset': '3', 'upload-length': '3' } })
  t.ok(await isMarked(built, location))
  t.equal((await head(location)).statusCode, 200)
  t.equal((await patch(location, 3)).statusCode, 204)
  t.same(calls, ['PATCH', 'HEAD', 'HEAD', 'HEAD'])
})

t.test('EDGE-54 an empty PATCH retries onUploadFinish too', async (t) => {
  const { create, patch, calls, failWith } = await buildFailing(t)
  failWith(new Error('no connection'))
  const location = await create(3)
  t.equal((await patch(location, 0, 'abc')).statusCode, 500)
  t.equal((await patch(location, 3)).statusCode, 500)
  failWith(undefined)
  t.match(await patch(location, 3), { statusCode: 204, headers: { 'upload-offset': '3', 'x-processed': 'yes' } })
  t.match(await patch(location, 3), { statusCode: 204, headers: { 'x-processed': undefined } })
  t.same(calls, ['PATCH', 'PATCH', 'PATCH'])
})

t.test('EDGE-54 a 5xx of onUploadFinish is the status of the response, and the hook stays due', async (t) => {
  const { create, patch, head, calls, failWith } = await buildFailing(t)
  failWith(Object.assign(new Error('the encoder is busy'), { statusCode: 503 }))
  const location = await create(3)
  const response = await patch(location, 0, 'abc')
  t.match(response, { statusCode: 503, headers: { 'retry-after': '1' } })
  t.equal(response.json().message, 'the encoder is busy')
  t.equal((await head(location)).statusCode, 423)
  failWith(undefined)
  t.equal((await head(location)).statusCode, 200)
  t.same(calls, ['PATCH', 'HEAD', 'HEAD'])
})

t.test('EDGE-54 a final refusal by a retried onUploadFinish is reported as an upload that is gone', async (t) => {
  const built = await buildFailing(t)
  const { create, patch, head, calls, failWith } = built
  failWith(new Error('no connection'))
  const location = await create(3)
  await patch(location, 0, 'abc')
  failWith(Object.assign(new Error('not a video'), { statusCode: 422 }))
  t.equal((await head(location)).statusCode, 410)
  t.ok(await isMarked(built, location))
  t.equal((await head(location)).statusCode, 410)
  t.same(calls, ['PATCH', 'HEAD'])
})

t.test('EDGE-54 concurrent requests retry onUploadFinish once', async (t) => {
  const { create, patch, head, calls, failWith } = await buildFailing(t)
  failWith(new Error('no connection'))
  const location = await create(3)
  await patch(location, 0, 'abc')
  failWith(undefined)
  const responses = await Promise.all([head(location), head(location), patch(location, 3), head(location)])
  t.same(responses.map(({ statusCode }) => statusCode), [200, 200, 204, 200])
  t.equal(calls.length, 2)
})

t.test('EDGE-54 a failing onUploadFinish of a creation is the response to it', async (t) => {
  const { post, calls, failWith } = await buildFailing(t)
  const complete = { 'upload-length': '3', 'content-type': OFFSET_OCTET_STREAM }
  failWith(new Error('no connection to 10.0.0.7'))
  const failed = await post(complete, 'abc')
  t.equal(failed.statusCode, 500)
  t.notMatch(failed.body, '10.0.0.7')
  failWith(Object.assign(new Error('not a video'), { statusCode: 422 }))
  t.equal((await post(complete, 'abc')).statusCode, 422)
  t.equal((await post({ 'upload-length': '0' })).statusCode, 422)
  t.same(calls, ['POST', 'POST', 'POST'])
})

t.test('EDGE-54 onUploadFinish is retried until its run is recorded', async (t) => {
  for (const refuses of [false, true]) {
    const directory = await temporaryDirectory(t)
    let isBroken = false
    const rename: FileSystem['rename'] = async (from, to) => {
      if (isBroken) throw Object.assign(new Error('rename'), { code: 'EIO' })
      await fileSystem.rename(from, to)
    }
    let calls = 0
    const built = await build(t, {
      datastore: new FileStore({ directory, fs: { ...fileSystem, rename } }),
      onUploadFinish: () => {
        calls++
        if (refuses) throw Object.assign(new Error('not a video'), { statusCode: 422 })
      }
    })
    const location = await built.create(3)
    isBroken = true
    t.equal((await built.patch(location, 0, 'abc')).statusCode, refuses ? 422 : 204)
    t.equal((await built.head(location)).statusCode, refuses ? 410 : 200)
    t.equal(calls, 2)
    isBroken = false
    t.notOk(await isMarked({ ...built, directory }, location))
    t.equal((await built.head(location)).statusCode, refuses ? 410 : 200)
    t.ok(await isMarked({ ...built, directory }, location))
    t.equal((await built.head(location)).statusCode, refuses ? 410 : 200)
    t.equal(calls, 3)
  }
})
