/**
 * Server processes over a bucket, with failures of the processes, of the network and of the S3 server. No two of them
 * share a locker. `KILLS` sets how often a process is killed (default 20); `SEED` repeats the faults that are random.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { FaultRule } from '../engines/fault-proxy.ts'
import { until } from '../helper.ts'
import { collect, MIB, skip, startRig } from '../stores/s3/rig.ts'
import { dice } from './dice.ts'
import { serve } from './s3-process.ts'
import { type Answer, append, ask, checkFinished, checkLeftovers, runsOf, Sending } from './s3-uploads.ts'

const kills = Number(process.env['KILLS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const next = dice(seed)

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
    const runs = runsOf(sending.id, dying, other)
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
      await checkFinished(rig, sending, runsOf(sending.id, server))
      assert.equal(runsOf(sending.id, server), 1, 'the hook runs once')
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
  const [first] = servers as [typeof servers[0], typeof servers[0]]
  const rounds = 20
  const created = await ask(first, 'POST', '/files', { 'upload-length': String(rounds * 300_000) })
  const { location } = created as Answer
  const id = location.split('/').at(-1) as string
  const written: Buffer[] = []
  for (let round = 0; round < rounds; round++) {
    const bodies = servers.map(() => randomBytes(300_000))
    const answers = await Promise.all(bodies.map((body, i) =>
      append(servers[i] as typeof first, location, round * 300_000, body)))
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
