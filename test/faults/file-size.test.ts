/** EDGE-45: a limit of the process on the size of files. Skipped without `prlimit`. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { OFFSET_OCTET_STREAM, sampleBytes, temporaryDirectory } from '../helper.ts'
import { isClear, MIB, strays, withPrlimit } from './refusals.ts'
import { startServer } from './server-process.ts'

t.test('EDGE-45 a limit on the size of files (RLIMIT_FSIZE) is a 507 and nothing more', withPrlimit, async (t) => {
  const directory = await temporaryDirectory(t)
  const server = await startServer(t, { directory }, ['prlimit', `--fsize=${MIB}:`])
  const tus = { 'tus-resumable': '1.0.0' }
  const create = async (length: number) => {
    const headers = { ...tus, 'upload-length': String(length) }
    const made = await fetch(`${server.url}/files`, { method: 'POST', headers })
    return made.headers.get('location') as string
  }
  const patch = async (location: string, offset: number, body: Buffer) => await fetch(server.url + location, {
    method: 'PATCH', body, headers: { ...tus, 'content-type': OFFSET_OCTET_STREAM, 'upload-offset': String(offset) }
  })
  const head = async (location: string) =>
    (await fetch(server.url + location, { method: 'HEAD', headers: tus })).headers.get('upload-offset')
  // Less than the server discards after a response, so the client receives the response.
  const bytes = sampleBytes(1.5 * MIB)
  const location = await create(bytes.length)
  const refused = await patch(location, 0, bytes)
  isClear(t, { statusCode: refused.status, body: await refused.text() }, 'FST_TUS_INSUFFICIENT_STORAGE', 507)
  t.equal(await head(location), String(MIB))
  const other = await create(MIB)
  t.equal((await patch(other, 0, bytes.subarray(0, MIB))).status, 204, 'other uploads continue')

  execFileSync('prlimit', [`--pid=${server.child.pid}`, '--fsize=unlimited:'])
  t.equal((await patch(location, MIB, bytes.subarray(MIB))).status, 204)
  t.ok((await fs.readFile(path.join(directory, path.basename(location)))).equals(bytes))
  t.same(await strays(directory, [location, other]), [])
  t.equal(await server.stop(), 0)
})
