/**
 * The plugin in a process of its own that measures itself: `GET /start` begins, and `GET /measures` tells the longest
 * time that its event loop was blocked, in ms, and its resident memory, in bytes. Options come as JSON in `OPTIONS`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import Fastify from 'fastify'
import fastifyTus, { type FastifyTusOptions } from '../../plugin/index.ts'

const RESOLUTION = 5
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
delay.enable()

const app = Fastify({ logger: { level: 'error' } })
await app.register(fastifyTus, { prefix: '/files', ...JSON.parse(process.env['OPTIONS'] ?? '{}') as FastifyTusOptions })

app.get('/start', async () => {
  // What was garbage before is not what is measured.
  globalThis.gc?.()
  delay.reset()
  return { rss: process.memoryUsage.rss() }
})
app.get('/measures', async () => {
  const blocked = delay.max / 1e6 - RESOLUTION
  const p99 = delay.percentile(99) / 1e6 - RESOLUTION
  globalThis.gc?.()
  const connections = await new Promise<number>((resolve, reject) => {
    app.server.getConnections((error, count) => error ? reject(error) : resolve(count))
  })
  return { blocked, p99, rss: process.memoryUsage.rss(), connections }
})

process.once('SIGTERM', () => { app.close().catch((error: unknown) => { throw error }) })
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
