/**
 * EDGE-45: EIO of every call of the file system that the store makes. It is injected, since no disk fails on request.
 */
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../plugin/stores/file/file-system/file-system.ts'
import { build, sampleBytes, temporaryDirectory } from '../helper.ts'
import { isClear, strays } from './refusals.ts'

/** A file system whose calls fail with EIO while `broken` contains them. */
function failing (isBroken: (call: string) => boolean): FileSystem {
  const guard = <T extends object> (target: T): T => new Proxy(target, {
    get (of, name) {
      const value = Reflect.get(of, name) as ((...args: unknown[]) => unknown) | undefined
      if (value === undefined) return undefined
      if (['close', 'prepareDirectory'].includes(String(name))) return value.bind(of)
      return async (...args: unknown[]) => {
        if (isBroken(String(name))) throw Object.assign(new Error(`EIO: i/o error, ${String(name)}`), { code: 'EIO' })
        const result = await value.apply(of, args)
        return name === 'open' ? guard(result as OpenFile) : result
      }
    }
  })
  return guard(fileSystem)
}

const calls = ['open', 'writev', 'datasync', 'stat', 'readFile', 'rename', 'unlink', 'truncate']
for (const call of calls) {
  t.test(`EDGE-45 EIO of ${call} is a 503 or 423, and uploads continue once it is over`, async (t) => {
    const directory = await temporaryDirectory(t)
    let broken = ''
    const store = new FileStore({ directory, fs: failing((name) => name === broken) })
    const { create, patch, head, post, request } = await build(t, { datastore: store })
    const bytes = sampleBytes(100_000)
    const file = (location: string) => fs.readFile(path.join(directory, path.basename(location)))
    const location = await create(bytes.length)
    const other = await create(6)
    t.equal((await patch(other, 0, 'abc')).statusCode, 204)
    t.equal((await patch(location, 0, bytes.subarray(0, 40_000))).statusCode, 204)

    broken = call
    const responses = {
      PATCH: await patch(location, 40_000, bytes.subarray(40_000)),
      HEAD: await head(location),
      POST: await post({ 'upload-length': '3' })
    }
    for (const [method, response] of Object.entries(responses)) {
      const fine = method === 'HEAD' ? [200, 423] : [201, 204, 503]
      t.ok(fine.includes(response.statusCode), `${method}: ${response.statusCode}`)
      if (response.statusCode === 503) isClear(t, response, 'FST_TUS_STORE_UNAVAILABLE', 503)
    }
    broken = ''

    const { headers } = await head(location)
    const offset = Number(headers['upload-offset'])
    // A disk that failed to sync may have lost all bytes that were not synced before.
    t.ok(offset >= (call === 'datasync' ? 0 : 40_000), `at ${offset}`)
    t.ok((await file(location)).subarray(0, offset).equals(bytes.subarray(0, offset)), 'the bytes that were sent')
    t.equal((await patch(location, offset, bytes.subarray(offset))).statusCode, 204)
    t.ok((await file(location)).equals(bytes))
    t.equal((await patch(other, 3, 'def')).statusCode, 204)
    t.equal((await file(other)).toString(), 'abcdef')
    const made = responses.POST.headers.location
    if (call !== 'unlink') t.same(await strays(directory, [location, other, ...made === undefined ? [] : [made]]), [])
    t.equal((await request('DELETE', location)).statusCode, 204)
  })
}
