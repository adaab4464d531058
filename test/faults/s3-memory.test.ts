/** Many clients, slow and fast ones, against a server process over a bucket: its memory keeps to the budget. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { MIB, skip, startRig } from '../stores/s3/rig.ts'
import { serve, type Server } from './s3-process.ts'
import { append, checkFinished, runsOf, Sending } from './s3-uploads.ts'

const SLOW = 500
const FAST = 20
const MEMORY = 128 * MIB
/** What the process takes besides the budget: Node.js, the SDK, and the buffers of its connections. */
const BESIDES = 150 * MIB

/** Sends at 20 KB/s. */
async function sendSlowly ({ url }: Server, { content, location }: Sending): Promise<void> {
  const patch = request(url + location, {
    method: 'PATCH',
    agent: false,
    headers: {
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': String(content.length)
    }
  })
  const responded = once(patch, 'response') as Promise<[IncomingMessage]>
  for (let sent = 0; sent < content.length; sent += 2000) {
    patch.write(content.subarray(sent, sent + 2000))
    await wait(100)
  }
  patch.end()
  const [response] = await responded
  response.resume()
  assert.equal(response.statusCode, 204)
}

/** The most memory that a process has had, in bytes. */
function peakOf ({ child }: Server): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

t.test(`${SLOW} slow and ${FAST} fast clients keep to the budget of memory`, {
  skip: skip || (process.platform === 'linux' ? false : 'needs /proc'),
  timeout: 0,
  todo: 'the peak is several times the budget'
}, async (t) => {
  const rig = await startRig(t)
  const server = await serve(t, rig, { proxied: false, memory: MEMORY, retryTime: 60_000 })
  const slow = Array.from({ length: SLOW }, () => new Sending(200_000))
  const fast = Array.from({ length: FAST }, () => new Sending(16 * MIB))
  for (const sending of [...slow, ...fast]) await sending.create(server)
  const before = peakOf(server)
  const slowly = Promise.all(slow.map((sending) => sendSlowly(server, sending)))
  await Promise.all([slowly, ...fast.map(async ({ location, content }) => {
    const answer = await append(server, location, 0, content)
    assert.equal(answer?.status, 204)
  })])
  const peak = peakOf(server)
  t.comment(`${Math.round(before / MIB)} MiB before, at most ${Math.round(peak / MIB)} MiB`)
  t.ok(peak < MEMORY + BESIDES)
  for (const sending of [...fast, ...slow]) await checkFinished(rig, sending, runsOf(sending.id, server))
})
