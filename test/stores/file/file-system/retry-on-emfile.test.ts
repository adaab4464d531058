import { constants } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { FileCache } from '../../../../plugin/stores/file/file-cache.ts'
import { FileStore } from '../../../../plugin/stores/file/file-store.ts'
import { type FileSystem, fileSystem, type OpenFile } from '../../../../plugin/stores/file/file-system/file-system.ts'
import { retryOnEmfile } from '../../../../plugin/stores/file/file-system/retry-on-emfile.ts'
import { build, temporaryDirectory } from '../../../helper.ts'

/** A file system for a process with a limited number of open files. */
function limited (limit: number, code: string): { fs: FileSystem, open: Set<OpenFile> } {
  const open = new Set<OpenFile>()
  const full = () => Object.assign(new Error(`${code}: too many open files, open '/disk/secret'`), { code })
  const needOne = async () => { if (open.size >= limit) throw full() }
  const needing = <A extends unknown[], T> (call: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    await needOne()
    return await call(...args)
  }
  return {
    open,
    fs: {
      ...fileSystem,
      readFile: needing(fileSystem.readFile),
      copyFile: needing(fileSystem.copyFile),
      opendir: needing(fileSystem.opendir),
      open: async (name, flags) => {
        await needOne()
        const file = await fileSystem.open(name, flags)
        const { close } = file
        open.add(file)
        return Object.assign(file, { close: async () => { await close.call(file); open.delete(file) } })
      }
    }
  }
}

async function buildLimited (t: Test, limit: number, code = 'EMFILE') {
  const directory = await temporaryDirectory(t)
  const { fs, open } = limited(limit, code)
  const datastore = new FileStore({ directory, exclusive: true, fs })
  const swept = new Promise<void>((resolve) => {
    datastore.removeOrphans = async () => { resolve(); return 0 }
  })
  const app = await build(t, { datastore })
  // The sweep at startup opens files too, and would close cached ones.
  await swept
  return { ...app, directory, open }
}

for (const code of ['EMFILE', 'ENFILE']) {
  t.test(`EDGE-45 cached files are closed if no descriptor is free (${code})`, async (t) => {
    const { create, patch, post, open } = await buildLimited(t, 3, code)
    const locations = [await create(6), await create(6), await create(6)]
    t.equal(open.size, 3, 'all of them are open in the cache')
    locations.push(await create(6))
    t.equal(open.size, 1, 'they have been closed')
    for (const location of locations) t.equal((await patch(location, 0, 'abcdef')).statusCode, 204)
    t.equal((await post({ 'upload-length': '6' })).statusCode, 201)
  })
}

t.test('EDGE-45 if no cached file can be closed, the response is 503 and no files are left', async (t) => {
  const { create, patch, head, post, directory, open } = await buildLimited(t, 2)
  const location = await create(6)
  const busy = { close: async () => {} } as OpenFile
  for (const file of [busy, { ...busy }]) open.add(file)
  // Its own file is cached.
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  const refused = await post({ 'upload-length': '6' })
  t.match(refused.json(), { statusCode: 503, code: 'FST_TUS_STORE_UNAVAILABLE' })
  t.notMatch(refused.body, /EMFILE|disk/)
  t.equal((await patch(location, 3, 'def')).statusCode, 503, 'its file was closed to free a descriptor')
  t.match((await head(location)).headers, { 'upload-offset': '3' }, 'its record is still cached')
  t.same((await fs.readdir(directory)).sort(), [path.basename(location), `${path.basename(location)}.json`])
  open.clear()
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
})

t.test('EDGE-45 reading, copying and listing are retried too, and other errors are not', async (t) => {
  const directory = await temporaryDirectory(t)
  const { fs, open } = limited(1, 'EMFILE')
  const cache = new FileCache({ records: 10, files: 10, openMs: 60_000 })
  const room = retryOnEmfile(fs, cache)
  const file = path.join(directory, 'a')
  const fill = async (flags: 'r' | 'wx') => {
    cache.remember('a', { id: 'a' } as never, 0)
    await cache.keepFile('a', await room.open(file, flags))
    t.equal(open.size, 1)
  }
  await fill('wx')
  t.equal(await room.readFile(file), '')
  await fill('r')
  await room.copyFile(file, `${file}.copy`, constants.COPYFILE_EXCL)
  await fill('r')
  await (await room.opendir(directory)).close()
  await fill('r')
  await t.rejects(room.copyFile(file, `${file}.copy`, constants.COPYFILE_EXCL), { code: 'EEXIST' })
})
