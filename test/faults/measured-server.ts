/**
 * The plugin in a process of its own that measures itself: `GET /start` begins, and `GET /measures` tells for how long
 * its event loop was blocked, in ms, and its resident memory, in bytes. Options come as JSON in `OPTIONS`;
 * `KEEP_ALIVE_MS` says how long a connection may be idle between two requests (default 1000).
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Fastify from 'fastify'
import fastifyTus, { type FastifyTusOptions } from '../../plugin/index.ts'

// tsx switches them on; with them each error of a socket costs a search for the line of its stack in the sources.
process.setSourceMapsEnabled(false)

const RESOLUTION = 5
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()

/** For how long the main thread had a CPU, in ms, as Linux tells it; elsewhere, all of the time. */
const ran = (() => {
  try {
    const file = openSync('/proc/self/schedstat', 'r')
    const text = Buffer.alloc(100)
    process.once('exit', () => closeSync(file))
    return () => Number(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)).split(' ')[0]) / 1e6
  } catch {
    return () => performance.now()
  }
})()

/** The longest time that the thread ran between two turns of its event loop, in ms. */
let longest = 0
let last = ran()
setInterval(() => {
  const now = ran()
  longest = Math.max(longest, now - last)
  last = now
}, RESOLUTION).unref()

// Connections of clients that are done end soon, so that those that are left can be counted.
const keepAliveTimeout = Number(process.env['KEEP_ALIVE_MS'] ?? 1000)
const app = Fastify({ logger: { level: 'error' }, keepAliveTimeout })
await app.register(fastifyTus, { prefix: '/files', ...JSON.parse(process.env['OPTIONS'] ?? '{}') as FastifyTusOptions })

app.get('/start', async () => {
  // What was garbage before is not what is measured.
  globalThis.gc?.()
  delay.reset()
  last = ran()
  longest = 0
  return { rss: process.memoryUsage.rss() }
})
app.get('/measures', async () => {
  const blocked = longest
  const late = delay.max / 1e6 - RESOLUTION
  const p99 = delay.percentile(99) / 1e6 - RESOLUTION
  globalThis.gc?.()
  const connections = await new Promise<number>((resolve, reject) => {
    app.server.getConnections((error, count) => error ? reject(error) : resolve(count))
  })
  return { blocked, late, p99, rss: process.memoryUsage.rss(), connections }
})

process.once('SIGTERM', () => { app.close().catch((error: unknown) => { throw error }) })
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
