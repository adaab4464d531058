/** EDGE-45: missing permissions. Some of the tests need root, and are skipped otherwise. */
import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import { build, temporaryDirectory } from '../helper.ts'
import { isClear, mount, strays, withMount } from './refusals.ts'

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root can switch users' }

/** An app that keeps no files open between requests, since those would outlive the permission to open them. */
async function buildOn (t: Test, directory: string) {
  const app = await build(t, { datastore: new FileStore({ directory }) })
  return { ...app, stored: (location: string) => fs.readFile(path.join(directory, path.basename(location))) }
}

t.test('EDGE-45 a read-only directory is a 503, and HEAD still returns the offset', withMount, async (t) => {
  const disk = mount(t, 'size=8m')
  const { directory } = disk
  const { create, patch, head, post, request, stored } = await buildOn(t, directory)
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  disk.remount('ro')
  for (const response of [
    await patch(location, 3, 'def'),
    await patch(location, 3, 'def', { 'upload-checksum': 'sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }),
    await post({ 'upload-length': '3' }),
    await request('DELETE', location)
  ]) {
    isClear(t, response, 'FST_TUS_STORE_UNAVAILABLE', 503)
    t.equal(response.headers['retry-after'], '1')
  }
  const asked = await head(location)
  t.match({ status: asked.statusCode, ...asked.headers }, { status: 200, 'upload-offset': '3' })
  disk.remount('rw')
  t.same(await strays(directory, [location]), [])
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal((await stored(location)).toString(), 'abcdef')
})

t.test('EDGE-45 a directory and a file without permission are a 503, and never a 404', asRoot, async (t) => {
  const directory = await temporaryDirectory(t)
  const { create, patch, head, post, request, stored } = await buildOn(t, directory)
  const location = await create(6)
  t.equal((await patch(location, 0, 'abc')).statusCode, 204)
  const file = path.join(directory, path.basename(location))
  const nobody = 65534
  t.teardown(() => process.seteuid?.(0))

  await fs.chmod(directory, 0o755)
  process.seteuid?.(nobody)
  isClear(t, await post({ 'upload-length': '3' }), 'FST_TUS_STORE_UNAVAILABLE', 503)
  isClear(t, await patch(location, 3, 'def'), 'FST_TUS_STORE_UNAVAILABLE', 503)
  isClear(t, await request('DELETE', location), 'FST_TUS_STORE_UNAVAILABLE', 503)
  t.equal((await head(location)).headers['upload-offset'], '3')

  process.seteuid?.(0)
  await fs.chmod(`${file}.json`, 0o600)
  process.seteuid?.(nobody)
  t.equal((await head(location)).statusCode, 423, 'unreadable is not gone')
  isClear(t, await patch(location, 3, 'def'), 'FST_TUS_STORE_UNAVAILABLE', 503)

  process.seteuid?.(0)
  t.same(await strays(directory, [location]), [])
  t.equal((await patch(location, 3, 'def')).statusCode, 204)
  t.equal((await stored(location)).toString(), 'abcdef')
})
