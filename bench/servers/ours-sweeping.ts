/** This plugin with frequent sweeps, so that new files in its directory are checked at once. */
import Fastify from 'fastify'
import fastifyTus from '../../plugin/index.ts'
import { answer } from './questions.ts'
import { options } from './serve.ts'

let tell: (expired: number) => void
const swept = new Promise<number>((resolve) => { tell = resolve })

// Only the log reports the end of a sweep, and only if the sweep deleted something.
const stream = {
  write: (line: string) => {
    const { expired } = JSON.parse(line) as { expired?: number }
    if (expired !== undefined) tell(expired)
  }
}
const app = Fastify({ logger: { level: 'info', stream } })
await app.register(fastifyTus, {
  prefix: '/files',
  directory: options.directory,
  expiration: { period: Number(options.expiration), sweepInterval: 100, sliding: false }
})
await app.listen({ port: options.port, host: '127.0.0.1' })

answer('sweep', async () => await swept)
