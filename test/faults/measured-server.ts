/**
 * The plugin in a separate process that measures itself: `GET /start` begins, and `GET /measures` returns for how long
 * its event loop was blocked, in ms, and its resident memory, in bytes. Options are JSON in `OPTIONS`; `KEEP_ALIVE_MS`
 * sets how long a connection may be idle between two requests (default 1000).
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Fastify from 'fastify'
import fastifyTus, { type FastifyTusOptions } from '../../plugin/index.ts'

// tsx enables them; with source maps, each socket error costs a lookup for its stack.
process.setSourceMapsEnabled(false)

const RESOLUTION = 5
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()

/** CPU time of the main thread, in ms, from Linux; elapsed time on other systems. */
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

// Idle connections end soon, so that the remaining ones can be counted.
const keepAliveTimeout = Number(process.env['KEEP_ALIVE_MS'] ?? 1000)
const app = Fastify({ logger: { level: 'error' }, keepAliveTimeout })
await app.register(fastifyTus, { prefix: '/files', ...JSON.parse(process.env['OPTIONS'] ?? '{}') as FastifyTusOptions })

app.get('/start', async () => {
  // Earlier garbage is not measured.
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
