/** The example of several processes, as a process of its own with two workers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { temporaryDirectory, until } from '../helper.ts'
import { root } from './pages.ts'
import { snippet } from './snippets.ts'

const WORKERS = 2

interface Line {
  pid: number
  msg: string
}

/** Runs the snippet with two workers on a free port. */
async function start (t: Test): Promise<{ endpoint: string, lines: Line[] }> {
  const folder = await temporaryDirectory(t)
  const code = (await snippet('docs/guides/several-processes.md', 'cluster.js'))
    .replace('from \'fastify-tus\'', `from '${pathToFileURL(path.join(root, 'plugin/index.ts')).href}'`)
    .replace('from \'fastify\'', `from '${import.meta.resolve('fastify')}'`)
    .replace('availableParallelism()', String(WORKERS))
    .replace('1080', '0')
  await writeFile(path.join(folder, 'cluster.mjs'), code)
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), 'cluster.mjs'], {
    cwd: folder,
    // tsx compiles the sources differently from tap: merged coverage would count every line as covered.
    env: { ...process.env, _TAPJS_PROCESSINFO_COVERAGE_: '0' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const lines: Line[] = []
  createInterface(child.stdout).on('line', (line) => { lines.push(JSON.parse(line) as Line) })
  const listening = () => lines.filter(({ msg }) => msg.startsWith('Server listening at http://127'))
  await until(() => listening().length === WORKERS)
  const [, origin] = /(http:\S+)/.exec(listening()[0]?.msg ?? '') ?? []
  return { endpoint: `${origin}/files`, lines }
}

/** A request on a connection of its own: the workers take turns. */
async function ask (method: string, url: string, headers: Record<string, string>, body = '') {
  const sent = request(url, { method, agent: false, headers: { 'tus-resumable': '1.0.0', ...headers } })
  sent.end(body)
  const [response] = await once(sent, 'response')
  response.resume()
  return response as { statusCode: number, headers: Record<string, string> }
}

t.test('the workers of a cluster serve one directory', async (t) => {
  const { endpoint, lines } = await start(t)
  const bytes = { 'content-type': 'application/offset+octet-stream' }
  const { headers } = await ask('POST', endpoint, { 'upload-length': '8' })
  const upload = new URL(String(headers['location']), endpoint).href
  const workers = () => new Set(lines.filter(({ msg }) => msg === 'incoming request').map(({ pid }) => pid))
  for (let offset = 0; offset < 8; offset++) {
    const { statusCode } = await ask('PATCH', upload, { ...bytes, 'upload-offset': String(offset) }, 'x')
    t.equal(statusCode, 204)
    t.equal((await ask('HEAD', upload, {})).headers['upload-offset'], String(offset + 1))
    if (offset !== 3) continue
    await until(() => workers().size === WORKERS)
    const killed = [...workers()][0] as number
    process.kill(killed, 'SIGKILL')
    const isReplaced = ({ pid, msg }: Line) => !workers().has(pid) && msg.startsWith('Server listening')
    await until(() => lines.some(isReplaced))
  }
  t.equal(await (await fetch(upload)).text(), 'xxxxxxxx')
})
