import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import { StartError } from '../../src/errors.ts'
import { main } from '../../src/main.ts'
import { start } from '../../src/server.ts'
import { DRAIN, reportFailure, serveAsWorker } from '../../src/worker.ts'
import { startServer } from '../../src/workers.ts'
import { buffered, temporaryDirectory, until } from '../helper.ts'
import { run } from './process.ts'

const tus = { 'tus-resumable': '1.0.0' }
const octets = { 'content-type': 'application/offset+octet-stream' }

interface Line {
  msg: string
  worker?: number
  pid: number
  signalCode?: string
}

// A pipe that is full would block a worker.
cluster.on('fork', ({ process: { stdout, stderr } }) => {
  stdout?.resume()
  stderr?.pipe(process.stderr)
})

/** The primary process in this process, with two workers. */
async function workers (t: Test, settings: Record<string, string> = {}) {
  // The workers run as the command does; their coverage cannot be merged with that of this process.
  cluster.setupPrimary({ execArgv: ['--import', 'tsx'], silent: true })
  const lines: Line[] = []
  const stream = { write: (line: string) => { lines.push(JSON.parse(line) as Line) } }
  const env = {
    ...process.env,
    _TAPJS_PROCESSINFO_COVERAGE_: '0',
    WORKERS: '2',
    PORT: '0',
    FILES_DIR: await temporaryDirectory(t),
    ...settings
  }
  const started = await startServer(readConfig(env), { stream }, env)
  t.teardown(() => started.close())
  const logged = async (msg: string) => {
    await until(() => lines.some((line) => line.msg === msg))
    return lines.find((line) => line.msg === msg)
  }
  return { endpoint: started.endpoint, page: started.page, logged, close: async () => await started.close() }
}

const runningWorkers = () => Object.values(cluster.workers ?? {}).map((worker) => worker?.process.pid as number)

/** A request on a connection of its own, unless there is an agent. */
async function ask (
  method: string, url: string, headers: Record<string, string> = {}, body = '', agent: Agent | false = false
) {
  const sent = request(url, { method, agent, headers: { ...tus, ...headers } })
  sent.end(body)
  const [response] = await once(sent, 'response')
  await once(response.resume(), 'end')
  return response as { statusCode: number, headers: Record<string, string> }
}

t.test('workers share the port and the directory, and a dead one is replaced', async (t) => {
  const { endpoint, page, logged } = await workers(t)
  t.equal(endpoint, `${page}files`)
  const { headers } = await ask('POST', endpoint, { 'upload-length': '4' })
  const upload = new URL(String(headers['location']), endpoint).href
  for (let offset = 0; offset < 4; offset++) {
    const { statusCode } = await ask('PATCH', upload, { ...octets, 'upload-offset': String(offset) }, 'x')
    t.equal(statusCode, 204)
  }
  for (let i = 0; i < 2; i++) {
    const { uploads } = await (await fetch(`${page}api/uploads`)).json() as { uploads: unknown[] }
    t.equal(uploads.length, 1, 'each worker lists all uploads')
  }
  const [killed] = runningWorkers()
  process.kill(killed as number, 'SIGKILL')
  t.match(await logged('worker ended, starting another one'), { worker: killed, signalCode: 'SIGKILL' })
  await logged('another worker started')
  t.equal(runningWorkers().length, 2)
  t.equal(await (await fetch(upload)).text(), 'xxxx')
})

t.test('a failed message to a worker does not keep it from being replaced', async (t) => {
  const { logged } = await workers(t)
  const [worker] = Object.values(cluster.workers ?? {})
  worker?.emit('error', new Error('write EPIPE'))
  worker?.emit('error', new Error('write EPIPE'))
  worker?.process.kill('SIGKILL')
  await logged('another worker started')
  t.equal(runningWorkers().length, 2)
})

t.test('a connection that is handed to a worker that dies is closed', async (t) => {
  const { page } = await workers(t)
  const running = Object.values(cluster.workers ?? {}) as Worker[]
  let handed = 0
  for (const { process: child } of running) {
    child.kill('SIGSTOP')
    const send = child.send.bind(child) as (...args: unknown[]) => boolean
    child.send = (...args: unknown[]) => {
      handed++
      return send(...args)
    }
  }
  const outcomes = running.map(async () => await fetch(`${page}healthz`).then(({ status }) => status, () => 'cut'))
  await until(() => handed === running.length)
  running[0]?.process.kill('SIGKILL')
  t.equal(await Promise.race(outcomes), 'cut')
  running[1]?.process.kill('SIGCONT')
  t.same(new Set(await Promise.all(outcomes)), new Set(['cut', 200]))
})

t.test('SIGUSR2 replaces the workers, and no request fails', async (t) => {
  const { endpoint, logged } = await workers(t)
  const before = runningWorkers()
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.teardown(() => agent.destroy())
  const { headers } = await ask('POST', endpoint, { 'upload-length': '1000' })
  const long = request(new URL(String(headers['location']), endpoint), {
    method: 'PATCH', agent: false, headers: { ...tus, ...octets, 'upload-offset': '0', 'content-length': '10' }
  })
  long.write('hello')
  const progress = { requests: 0, isReplaced: false }
  const asking = Array.from({ length: 4 }, async () => {
    while (!progress.isReplaced || progress.requests < 50) {
      const { statusCode } = await ask('OPTIONS', endpoint, {}, '', agent)
      if (statusCode !== 204) t.fail(`OPTIONS returns ${statusCode}`)
      progress.requests++
      await wait(5)
    }
  })
  await until(() => progress.requests > 10)
  process.emit('SIGUSR2')
  await logged('workers replaced')
  progress.isReplaced = true
  await Promise.all(asking)
  const [response] = [once(long, 'response')]
  long.end('world')
  t.equal((await response)[0].statusCode, 204, 'a body that was being received is received to its end')
  agent.destroy()
  await until(() => runningWorkers().length === 2 && !before.some((pid) => runningWorkers().includes(pid)))
})

t.test('workers that cannot be replaced stay, and a start that fails is repeated', async (t) => {
  const directory = await temporaryDirectory(t)
  const files = path.join(directory, 'files')
  const { page, logged, close } = await workers(t, { FILES_DIR: files })
  const before = runningWorkers()
  await rm(files, { recursive: true })
  await writeFile(files, '')
  process.emit('SIGUSR2')
  t.match(await logged('workers not replaced'), { err: { message: /FILES_DIR/ } })
  await until(() => runningWorkers().join() === before.join())
  t.equal((await fetch(`${page}healthz`)).status, 200)
  const [killed] = before
  process.kill(killed as number, 'SIGKILL')
  t.match(await logged('worker not started'), { err: { message: /FILES_DIR/ } })
  await rm(files)
  await logged('another worker started')
  t.notOk(runningWorkers().includes(killed as number))
  process.emit('SIGUSR2')
  await close()
  t.same(runningWorkers(), [])
})

t.test('a worker that cannot listen ends all of them, with its reason', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(workers(t, { PORT: String(port) }), { name: StartError.name, message: /is in use/ })
  t.same(runningWorkers(), [])
})

t.test('one worker is the process itself', async (t) => {
  const env = { PORT: '0', FILES_DIR: await temporaryDirectory(t) }
  const { page, close } = await startServer(readConfig(env), { stream: new PassThrough() }, env)
  t.equal((await fetch(`${page}healthz`)).status, 200)
  t.same(runningWorkers(), [])
  await close()
})

t.test('SIGTERM closes the workers and the primary process', async (t) => {
  const { child, line, ended } = run('src/cli.ts', ['--workers', '2'], { FILES_DIR: await temporaryDirectory(t) })
  t.teardown(() => child.kill('SIGKILL'))
  t.match(JSON.parse(await line('ready for uploads')), { worker: Number })
  child.kill('SIGTERM')
  t.match(await ended, { code: 0, signal: null })
})

t.test('a worker reports its address or its failure, and leaves signals to the primary process', async (t) => {
  const { isWorker, worker } = cluster
  const { send } = process
  t.teardown(() => {
    Object.assign(cluster, { isWorker, worker })
    Object.assign(process, { send })
    process.removeAllListeners('message')
  })
  const reports: unknown[] = []
  process.send = (report: unknown) => reports.push(report) > 0
  let disconnected = 0
  Object.assign(cluster, { isWorker: true, worker: { id: 7, disconnect: () => { disconnected++ } } })
  const stdout = new PassThrough()
  const host = { stdout, stderr: process.stderr }
  const env = { PORT: '0', FILES_DIR: await temporaryDirectory(t) }
  let closed = false
  t.equal(await main([], { ...host, env }, async (config, log) => {
    const running = await start(config, log)
    await running.close()
    closed = true
    return running
  }), 0)
  t.ok(closed)
  t.match(reports, [{ endpoint: /^http/, page: /^http/ }])
  t.match(JSON.parse(buffered(stdout).split('\n')[0] as string), { worker: 7 })
  t.equal(await main([], { ...host, env: { PORT: 'x' } }), 1)
  t.match(reports[1], { failure: /^PORT/ })
  t.equal(disconnected, 0)
})

t.test('a worker that is replaced closes each connection after its response', async (t) => {
  const { worker } = cluster
  const { disconnect } = process
  t.teardown(() => {
    Object.assign(cluster, { worker })
    Object.assign(process, { disconnect })
    process.removeAllListeners('message')
  })
  let disconnected = 0
  Object.assign(cluster, { worker: { disconnect: () => { disconnected++ } } })
  const server = Fastify()
  const before = process.listeners('message').length
  serveAsWorker(server)
  t.equal(process.listeners('message').length, before + 1)
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2'] as const) process.emit(signal)
  server.get('/', async () => 'hello')
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const agent = new Agent({ keepAlive: true })
  t.match((await ask('GET', url, {}, '', agent)).headers, { connection: 'keep-alive' })
  process.emit('message', 'something else', undefined)
  process.emit('message', DRAIN, undefined)
  t.match((await ask('GET', url, {}, '', agent)).headers, { connection: 'close' }, 'there is a last response')
  await until(() => disconnected === 1)
  process.disconnect = () => { disconnected++ }
  const { send } = process
  t.teardown(() => Object.assign(process, { send }))
  process.send = ((_report: unknown, done: () => void) => done()) as never
  reportFailure(new StartError('no'))
  t.equal(disconnected, 2)
})
