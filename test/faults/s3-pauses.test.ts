/**
 * Server processes over a bucket that are stopped in the middle of an append, and continue after another process has
 * taken over. `KILLS` sets how often a process is stopped (default 20); `SEED` repeats the random sizes.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import t from 'tap'
import { skipWithout } from '../engines/skip.ts'
import { connectTo, startRedis } from '../engines/redis.ts'
import type { Engine } from '../engines/engine.ts'
import { until } from '../helper.ts'
import { MIB, type Rig, SEGMENT, skip as skipS3, startRig } from '../stores/s3/rig.ts'
import { dice } from './dice.ts'
import { serve, type Server } from './s3-process.ts'
import { type Answer, append, checkFinished, checkLeftovers, runsOf, Sending } from './s3-uploads.ts'

const pauses = Number(process.env['KILLS'] ?? 20)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const next = dice(seed)
const skip = skipS3 || skipWithout('redis')

/**
 * Another client completes the upload with other bytes, so that a late write would show in the object.
 * @returns the offset from which on its bytes count
 */
async function takeOver (sending: Sending, server: Server): Promise<number> {
  for (;;) {
    await sending.find(server)
    const offset = sending.acknowledged
    if (offset === sending.content.length) return offset
    const bytes = sending.content.subarray(offset).map((byte) => byte ^ 0xff)
    const answer = await append(server, sending.location, offset, bytes)
    if (answer?.status === 204) {
      sending.content.set(bytes, offset)
      return offset
    }
    assert.ok([409, 423, 503].includes(Number(answer?.status)), `status ${answer?.status}`)
  }
}

for (const locks of ['without locks', 'with locks in Redis']) {
  t.test(`a process that is stopped ${pauses} times, ${locks}, changes nothing once it continues (SEED=${seed})`, {
    skip, timeout: 0
  }, async (t) => {
    const rig = await startRig(t)
    const redis = locks === 'without locks' ? undefined : (await startRedis(t)).port
    const stopping = await serve(t, rig, { redis })
    const other = await serve(t, rig, { redis, proxied: false })
    const counts = { stopped: 0, finishedBefore: 0 }
    let nth = 0
    for (let i = 0; i < pauses; i++) {
      nth++
      const sending = new Sending(i % 2 === 0 ? 9 * MIB : 400_000)
      await sending.create(other)
      let requests = 0
      let isStopped = false
      // Its n-th request arrives at once, or only after another process has taken over.
      rig.proxy.add({
        nth: () => {
          if (++requests !== nth) return false
          isStopped = stopping.child.kill('SIGSTOP')
          return i % 4 < 2
        },
        fault: 'stall-before'
      })
      const answers: Answer[] = []
      let isSent = false
      const sent = sendTwice(stopping, sending, answers).finally(() => { isSent = true })
      await until(() => isStopped || isSent)
      sending.acknowledged = answers.at(-1)?.offset ?? 0
      const offset = await takeOver(sending, other)
      stopping.child.kill('SIGCONT')
      rig.proxy.clear()
      rig.proxy.release()
      await sent
      const successes = answers.filter(({ status }) => status === 204)
      assert.ok(successes.every((answer) => Number(answer.offset) <= offset), JSON.stringify({ answers, offset }))
      assert.ok(answers.every(({ status }) => [204, 404, 409, 423, 503].includes(status)), JSON.stringify(answers))
      await checkFinished(rig, sending, runsOf(sending.id, stopping, other))
      if (isStopped) counts.stopped++
      else {
        counts.finishedBefore++
        nth = 0
      }
    }
    await checkLeftovers(rig)
    t.comment(JSON.stringify(counts))
    t.ok(counts.stopped > 0)
  })
}

/** Sends an upload in two bodies; the second one only after a success. */
async function sendTwice (server: Server, sending: Sending, answers: Answer[]): Promise<void> {
  const content = Buffer.from(sending.content)
  const middle = Math.floor(content.length * next())
  for (const [start, end] of [[0, middle], [middle, content.length]] as const) {
    const answer = await append(server, sending.location, start, content.subarray(start, end))
    assert.ok(answer !== undefined, 'the process lives')
    answers.push(answer)
    if (answer.status !== 204) return
  }
}

const disturbances: Record<string, (redis: Engine) => Promise<void>> = {
  'FLUSHALL of Redis': async (redis) => { await flush(redis) },
  'a restart of Redis': (redis) => redis.restart('SIGKILL'),
  'a pause of Redis beyond the lease': async (redis) => {
    redis.pause()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    redis.resume()
  }
}

async function flush ({ port }: Engine): Promise<void> {
  const client = connectTo(t, { port })
  await client.flushall()
}

for (const [name, disturb] of Object.entries(disturbances)) {
  t.test(`one of two writers wins after ${name}`, { skip, timeout: 0 }, async (t) => {
    const rig = await startRig(t)
    const redis = await startRedis(t)
    const first = await serve(t, rig, { redis: redis.port })
    const other = await serve(t, rig, { redis: redis.port, proxied: false })
    const sending = new Sending(9 * MIB)
    await sending.create(other)
    const body = await openBody(rig, first, sending)
    await disturb(redis)
    const offset = await takeOver(sending, other)
    const status = await body.end()
    t.ok(status === undefined || [409, 423].includes(status), `status ${status} at offset ${offset}`)
    await checkFinished(rig, sending, runsOf(sending.id, first, other))
    await checkLeftovers(rig)
  })
}

/** A body of which two thirds are sent. `end` sends the rest, and resolves with the status, if there is one. */
async function openBody (
  { proxy }: Rig, server: Server, sending: Sending
): Promise<{ end: () => Promise<number | undefined> }> {
  const content = Buffer.from(sending.content)
  const patching = request(server.url + sending.location, {
    method: 'PATCH',
    headers: {
      'tus-resumable': '1.0.0',
      'content-type': 'application/offset+octet-stream',
      'content-length': content.length,
      'upload-offset': '0'
    }
  })
  const status = once(patching, 'response').then(([response]) => response.statusCode as number, () => undefined)
  const middle = Math.floor(content.length * 2 / 3)
  patching.write(content.subarray(0, middle))
  await until(() => proxy.log.some(({ method, path, status: isStored }) =>
    method === 'PUT' && SEGMENT.test(path) && isStored === 200))
  return {
    end () {
      patching.end(content.subarray(middle))
      return status
    }
  }
}
