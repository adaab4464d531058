/**
 * Server processes over a bucket, with failures of the processes, of the network and of the S3 server. No two of them
 * share a locker. `KILLS` sets how often a process is killed (default 20); `SEED` repeats the faults that are random.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { S3Store } from '../../plugin/stores/s3/index.ts'
import { removeOrphans } from '../../plugin/stores/s3/orphans.ts'
import type { FaultRule } from '../engines/fault-proxy.ts'
import { until } from '../helper.ts'
import { bytesOf, collect, MIB, type Rig, skip, startRig } from '../stores/s3/rig.ts'
import { dice } from './dice.ts'

const kills = Number(process.env['KILLS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const next = dice(seed)
const script = new URL('s3-server.ts', import.meta.url).pathname

interface Server {
  child: ChildProcess
  url: string
  finished: string[]
  kill (): Promise<void>
}

/** A server process; with `proxied`, its requests pass through the fault proxy. */
async function serve (t: Test, rig: Rig, { proxied = true, retryTime = 10_000 } = {}): Promise<Server> {
  const clientConfig = rig.engine.clientConfig(proxied ? rig.proxy.endpoint : undefined)
  const options = { clientConfig, bucket: rig.bucketName, retryTime }
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', 'tsx', script], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) }, stdio: ['ignore', 'pipe', 'inherit']
  })
  const lines = createInterface({ input: child.stdout })
  const finished: string[] = []
  lines.on('line', (line) => { if (line.startsWith('finished ')) finished.push(line.slice(9)) })
  const [url] = await once(lines, 'line') as [string]
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.teardown(kill)
  return { child, url, finished, kill }
}

interface Answer {
  status: number
  offset: number | undefined
  location: string
}

/** Every response comes within a minute; `undefined` if the process died. */
async function ask (
  server: Server, method: string, path: string, headers: Record<string, string> = {}, body?: Buffer
): Promise<Answer | undefined> {
  const response = await fetch(server.url + path, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...body === undefined ? {} : { body: new Uint8Array(body) },
    signal: AbortSignal.timeout(60_000)
  }).catch((error: Error) => {
    assert.notEqual(error.name, 'TimeoutError', `no response to ${method}`)
    return undefined
  })
  if (response === undefined) return undefined
  await response.arrayBuffer().catch(() => {})
  const offset = response.headers.get('upload-offset')
  const location = response.headers.get('location') ?? path
  return { status: response.status, offset: offset === null ? undefined : Number(offset), location }
}

/** An upload as its client knows it. */
class Sending {
  readonly content: Buffer
  location = ''
  acknowledged = 0

  constructor (length: number) {
    this.content = randomBytes(length)
  }

  get id (): string {
    return this.location.split('/').at(-1) as string
  }

  async create (server: Server): Promise<void> {
    const created = await ask(server, 'POST', '/files', { 'upload-length': String(this.content.length) })
    assert.equal(created?.status, 201)
    this.location = created.location
  }

  /** HEAD: invariants 1 and 6. */
  async look (server: Server): Promise<void> {
    const head = await ask(server, 'HEAD', this.location)
    assert.equal(head?.status, 200, 'HEAD')
    assert.ok((head.offset as number) >= this.acknowledged, `offset ${head.offset} after ${this.acknowledged}`)
    this.acknowledged = head.offset as number
  }

  async send (server: Server, most = Infinity): Promise<Answer | undefined> {
    const body = this.content.subarray(this.acknowledged, this.acknowledged + most)
    const headers = {
      'content-type': 'application/offset+octet-stream', 'upload-offset': String(this.acknowledged)
    }
    const answer = await ask(server, 'PATCH', this.location, headers, body)
    if (answer?.status === 204) {
      assert.equal(answer.offset, this.acknowledged + body.length)
      this.acknowledged = answer.offset
    }
    return answer
  }

  /** Continues until the upload is complete, however often a request fails. */
  async resume (server: Server): Promise<void> {
    for (;;) {
      const answer = await this.send(server)
      if (answer?.status === 204) return
      assert.ok([409, 423, 503, undefined].includes(answer?.status), `status ${answer?.status}`)
      await until(async () => (await ask(server, 'HEAD', this.location))?.status === 200)
      await this.look(server)
      if (this.acknowledged === this.content.length) return
    }
  }
}

/** The invariants of a finished upload: its object has the bytes of the client, and nothing else is left. */
async function checkFinished (rig: Rig, sending: Sending, runs: number): Promise<void> {
  const object = await rig.bucket.getBytes(sending.id)
  assert.ok(object !== undefined, 'the object exists')
  assert.ok(sending.content.equals(object.bytes), 'the object has the bytes of the client')
  assert.ok(runs >= 1, 'the finish hook has run')
  const store = new S3Store({ bucket: rig.bucketName, clientConfig: rig.engine.clientConfig() })
  assert.ok(sending.content.equals(await bytesOf(store, sending.id)))
}

/** Whatever the processes left: after the sweeps of the next days, only states and objects. */
async function checkLeftovers (rig: Rig): Promise<void> {
  await removeOrphans(rig.bucket, rig.states, Date.now() + 2 * 24 * 3_600_000)
  const store = new S3Store({ bucket: rig.bucketName, clientConfig: rig.engine.clientConfig() })
  await collect(store.due(Date.now() + 400 * 24 * 3_600_000))
  const ids = await collect(store.list())
  const keys = (await rig.keys()).filter((key) => !key.startsWith('.tus-due/'))
  assert.deepEqual(keys.filter((key) => !ids.includes(key)).sort(), ids.map((id) => `.tus/${id}/state`).sort())
}

t.test(`every upload is resumed by another process after ${kills} kills`, { skip, timeout: 0 }, async (t) => {
  const rig = await startRig(t)
  const other = await serve(t, rig, { proxied: false })
  let dying = await serve(t, rig)
  let nth = 0
  const counts = { killed: 0, survived: 0 }
  for (let kill = 0; kill < kills; kill++) {
    nth++
    const sending = new Sending(kill % 2 === 0 ? 9 * MIB : 400_000)
    await sending.create(other)
    let requests = 0
    const { child } = dying
    // The process dies before the n-th request of this upload arrives, or before its response does.
    rig.proxy.add({
      nth: () => {
        if (++requests === nth) child.kill('SIGKILL')
        return requests >= nth
      },
      fault: kill % 4 < 2 ? 'reset-before' : 'reset-after'
    })
    const first = Math.floor(sending.content.length * next())
    await sending.send(dying, first)
    await sending.send(dying)
    const isKilled = requests >= nth
    rig.proxy.clear()
    await sending.look(other)
    await sending.resume(other)
    const runs = [...dying.finished, ...other.finished].filter((id) => id === sending.id).length
    await checkFinished(rig, sending, runs)
    if (isKilled) {
      counts.killed++
      await dying.kill()
      dying = await serve(t, rig)
    } else {
      counts.survived++
      nth = 0
    }
  }
  await checkLeftovers(rig)
  t.comment(JSON.stringify(counts))
  t.ok(counts.killed > 0)
})

const disturbances: Record<string, Array<Omit<FaultRule, 'nth'>>> = {
  'SlowDown for 30 % of the requests': [{ fraction: 0.3, fault: 503 }],
  'connections reset before and after requests': [
    { fraction: 0.1, fault: 'reset-before' }, { fraction: 0.1, fault: 'reset-after' }
  ],
  'lost responses to writes': [{ method: 'PUT', fraction: 0.3, fault: 'reset-after' }],
  'slow responses': [{ fault: { delay: 20 } }]
}

for (const [name, rules] of Object.entries(disturbances)) {
  t.test(`uploads succeed despite ${name} (SEED=${seed})`, { skip, timeout: 0 }, async (t) => {
    const rig = await startRig(t, {}, { random: next })
    const server = await serve(t, rig, { retryTime: 30_000 })
    const sendings = [9 * MIB, 6 * MIB, 300_000, 1000].map((length) => new Sending(length))
    for (const sending of sendings) await sending.create(server)
    for (const rule of rules) rig.proxy.add(rule)
    await Promise.all(sendings.map(async (sending) => {
      await sending.send(server, sending.content.length / 2)
      await sending.resume(server)
    }))
    rig.proxy.clear()
    for (const sending of sendings) {
      await checkFinished(rig, sending, server.finished.filter((id) => id === sending.id).length)
      assert.equal(server.finished.filter((id) => id === sending.id).length, 1, 'the hook runs once')
    }
    await checkLeftovers(rig)
    t.ok(rig.proxy.log.some(({ fault }) => fault !== undefined))
  })
}

t.test('uploads continue once the S3 server is back', { skip, timeout: 0 }, async (t) => {
  const rig = await startRig(t)
  const server = await serve(t, rig, { retryTime: 500 })
  const sending = new Sending(9 * MIB)
  await sending.create(server)
  await sending.send(server, 6 * MIB)
  await rig.engine.stop('SIGKILL')
  t.equal((await sending.send(server))?.status, 503)
  await rig.engine.start()
  await sending.resume(server)
  await checkFinished(rig, sending, server.finished.length)
  await checkLeftovers(rig)
})

t.test('of two processes without a shared locker, one wins each offset', { skip, timeout: 0 }, async (t) => {
  const rig = await startRig(t)
  const servers = await Promise.all([serve(t, rig), serve(t, rig)])
  const [first] = servers as [Server, Server]
  const rounds = 20
  const created = await ask(first, 'POST', '/files', { 'upload-length': String(rounds * 300_000) })
  const { location } = created as Answer
  const id = location.split('/').at(-1) as string
  const written: Buffer[] = []
  for (let round = 0; round < rounds; round++) {
    const bodies = servers.map(() => randomBytes(300_000))
    const answers = await Promise.all(servers.map((server, i) => ask(server, 'PATCH', location, {
      'content-type': 'application/offset+octet-stream', 'upload-offset': String(round * 300_000)
    }, bodies[i])))
    const winners = answers.flatMap((answer, i) => answer?.status === 204 ? [i] : [])
    assert.equal(winners.length, 1, JSON.stringify(answers))
    written.push(bodies[winners[0] as number] as Buffer)
    const losers = answers.filter((answer) => answer?.status !== 204)
    assert.ok(losers.every((answer) => [409, 423].includes(Number(answer?.status))), JSON.stringify(losers))
  }
  const object = await rig.bucket.getBytes(id)
  t.ok(Buffer.concat(written).equals(object?.bytes ?? Buffer.alloc(0)))
  await checkLeftovers(rig)
})

t.test('a DELETE during an assembly leaves nothing', { skip, timeout: 0 }, async (t) => {
  const rig = await startRig(t)
  const [server, other] = await Promise.all([serve(t, rig), serve(t, rig, { proxied: false })])
  for (let nth = 1; nth <= 8; nth++) {
    for (const length of [400_000, 9 * MIB]) {
      const sending = new Sending(length)
      await sending.create(other)
      let requests = 0
      rig.proxy.add({ nth: () => ++requests === nth, fault: 'stall-before' })
      const sent = sending.send(server)
      let isSent = false
      sent.then(() => { isSent = true }, () => {})
      await until(() => requests >= nth || isSent)
      const deleted = await ask(other, 'DELETE', sending.location)
      rig.proxy.clear()
      rig.proxy.release()
      const answer = await sent
      assert.equal(deleted?.status, 204, 'DELETE')
      assert.ok(isSent || [204, 404, 410, 423].includes(Number(answer?.status)), `PATCH ${answer?.status}`)
      assert.equal((await ask(other, 'HEAD', sending.location))?.status, 404)
    }
  }
  await checkLeftovers(rig)
  t.same((await rig.keys()).filter((key) => !key.startsWith('.tus-due/')), [])
})

t.test('sweeps during appends delete nothing that is acknowledged', { skip, timeout: 0 }, async (t) => {
  const rig = await startRig(t)
  const server = await serve(t, rig)
  const sweeping = rig.open({ retryTime: 10_000 })
  const sendings = [400_000, 6 * MIB].map((length) => new Sending(length))
  for (const sending of sendings) await sending.create(server)
  const end = new AbortController()
  const swept = (async () => {
    while (!end.signal.aborted) {
      await collect(sweeping.due(Date.now() + 400 * 24 * 3_600_000))
      await sweeping.removeOrphans()
    }
  })()
  for (const sending of sendings) {
    const slice = Math.ceil(sending.content.length / 10)
    while (sending.acknowledged < sending.content.length) {
      const answer = await sending.send(server, slice)
      if (answer?.status !== 204) await sending.look(server)
    }
  }
  end.abort()
  await swept
  for (const sending of sendings) await checkFinished(rig, sending, 1)
  t.ok(sendings.every(({ acknowledged, content }) => acknowledged === content.length))
  await checkLeftovers(rig)
})
