import { mkdirSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import fastifyTus from '../../../plugin/index.ts'
import type { FastifyTusOptions } from '../../../plugin/index.ts'
import type { startChild } from '../../../src/demo/child.ts'
import { DemoError } from '../../../src/demo/errors.ts'
import { runDemo } from '../../../src/demo/run.ts'
import { openSource } from '../../../src/demo/source.ts'

type Options = Pick<FastifyTusOptions, 'directory' | 'onUploadFinish'>
type Fault = (server: FastifyInstance, directory: string) => Options | void

/** Runs the demo with servers in this process; each fault is for one start of the server. */
async function demoWith (t: Test, faults: Fault[]) {
  const workplace = t.testdir()
  const starts: FastifyInstance[] = []
  t.teardown(() => Promise.all(starts.map(server => server.close())))
  let printed = ''
  const file = join(workplace, 'source.bin')
  writeFileSync(file, Buffer.alloc(20_000, 'some bytes'))

  const startServer: typeof startChild = async ({ FILES_DIR: directory = '', PORT: port }) => {
    const server = Fastify({ forceCloseConnections: true })
    const options = faults[starts.length]?.(server, directory)
    starts.push(server)
    await server.register(fastifyTus, { prefix: '/files', directory, ...options })
    const address = await server.listen({ host: '127.0.0.1', port: Number(port) })
    return { pid: starts.length, endpoint: `${address}/files`, kill: async () => { await server.close() } }
  }
  await runDemo(await openSource(file), workplace, { write: text => { printed += text } }, startServer)
  return printed
}

const well: Fault = () => {}

const refuse = (method: string): Fault => server => {
  server.addHook('onRequest', async (request, reply) => {
    if (request.method === method) await reply.code(403).send('no')
  })
}

t.test('the demo succeeds with a correct server', async t => {
  const printed = await demoWith(t, [well, well])
  t.match(printed, /Upload-Offset: \d+/)
  t.match(printed, /\nOK: .*\n$/)
})

t.test('the demo succeeds if the killed server has kept nothing of the slice', async t => {
  const holdBack: Fault = server => {
    server.addHook('onRequest', async request => {
      if (Number(request.headers['upload-offset']) >= 10_000) await new Promise(() => {})
    })
  }
  t.match(await demoWith(t, [holdBack, well]), /Upload-Offset: \d+/)
})

t.test('the demo fails with a faulty server', async t => {
  const cases: [string, Fault[], RegExp][] = [
    ['refuses the upload', [refuse('POST')], /^The upload failed before the server was killed: .*403/s],
    ['has forgotten the upload', [well, (_server, directory) => {
      mkdirSync(join(directory, 'other'))
      return { directory: join(directory, 'other') }
    }], /^The server no longer has the upload: status 404$/],
    ['has lost bytes', [well, (_server, directory) => {
      const id = readdirSync(directory).find(name => /^\w+$/.test(name)) as string
      truncateSync(join(directory, id), 5)
    }], /^Bytes lost: the server had acknowledged \d+$/],
    ['refuses the rest', [well, refuse('PATCH')], /^The upload could not be resumed: .*403/s],
    ['stores other bytes', [well, (_server, directory) => ({
      onUploadFinish (_request, { id }) { writeFileSync(join(directory, id), 'other bytes') }
    })], /^The stored file differs from the sent file$/],
    ['serves other bytes', [well, server => {
      server.addHook('onSend', async (request, reply) => {
        if (request.method !== 'GET') return
        reply.removeHeader('content-length')
        return 'other bytes'
      })
    }], /^The served file differs from the sent file$/]
  ]
  for (const [name, faults, message] of cases) {
    await t.test(name, async t => {
      await t.rejects(demoWith(t, faults), { constructor: DemoError, message })
    })
  }
})
