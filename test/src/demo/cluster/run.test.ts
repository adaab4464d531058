import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import fastifyTus from '../../../../plugin/index.ts'
import { S3Store } from '../../../../plugin/stores/s3/index.ts'
import type { startChild } from '../../../../src/demo/child.ts'
import { runCluster } from '../../../../src/demo/cluster/run.ts'
import { DemoError } from '../../../../src/demo/errors.ts'
import { killProcesses } from '../../../../src/demo/processes.ts'
import { openSource } from '../../../../src/demo/source.ts'
import { skipWithout } from '../../../engines/skip.ts'
import { temporaryDirectory } from '../../../helper.ts'

const s3 = { skip: skipWithout('versitygw') }

interface ClusterOptions {
  size?: number
  /** Changes each server. */
  fault?: (server: FastifyInstance) => void
  env?: NodeJS.ProcessEnv
}

/** Runs the demo of the cluster with servers in this process. */
async function clusterWith (t: Test, { size = 20_000, fault, env = {} }: ClusterOptions) {
  t.intercept(process, 'env', { value: { ...process.env, ...env } })
  const workplace = await temporaryDirectory(t)
  t.teardown(killProcesses)
  let printed = ''
  let starts = 0
  const file = join(workplace, 'source.bin')
  writeFileSync(file, Buffer.alloc(size, 'some bytes'))

  const startServer: typeof startChild = async settings => {
    const server = Fastify({ forceCloseConnections: true })
    t.teardown(() => server.close())
    fault?.(server)
    const datastore = new S3Store({
      bucket: settings.S3_BUCKET as string,
      prefix: settings.S3_PREFIX as string,
      clientConfig: {
        endpoint: settings.S3_ENDPOINT as string,
        region: settings.S3_REGION as string,
        forcePathStyle: true,
        credentials: {
          accessKeyId: settings.AWS_ACCESS_KEY_ID as string, secretAccessKey: settings.AWS_SECRET_ACCESS_KEY as string
        }
      }
    })
    await server.register(fastifyTus, { prefix: '/files', datastore })
    const endpoint = `${await server.listen({ host: '127.0.0.1', port: 0 })}/files`
    return { pid: ++starts, endpoint, kill: async () => { await server.close() } }
  }
  await runCluster(await openSource(file), workplace, { write: text => { printed += text } }, startServer)
  return { printed, starts }
}

t.test('each server is killed once and restarted, and the file is identical', s3, async t => {
  const { printed, starts } = await clusterWith(t, {})
  t.equal(starts, 6)
  t.same([...printed.matchAll(/^\d+\. Killed (\w)/gm)].map(([, name]) => name).sort(), ['A', 'B', 'C'])
  t.same([...printed.matchAll(/^ {3}restarted (\w)/gm)].map(([, name]) => name).sort(), ['A', 'B', 'C'])
  const hashes = [...printed.matchAll(/SHA-256 ([0-9a-f]{64})/g)].map(([, hash]) => hash)
  t.equal(hashes.length, 3)
  t.equal(new Set(hashes).size, 1)
  t.match(printed, /\nOK: .*\n$/)
})

t.test('a slice is taken by another server than the one before', s3, async t => {
  const { printed } = await clusterWith(t, { size: 32 })
  const parts = [...printed.matchAll(/^ {3}slices taken by (.*)$/gm)].map(([, names]) => names as string)
  t.equal(parts.length, 4)
  for (const part of parts) t.notMatch(part, /(\w) \1/)
})

t.test('a slice that is refused with 423 is sent again', s3, async t => {
  let isRefused = false
  const { printed } = await clusterWith(t, {
    fault: server => {
      server.addHook('onRequest', async (request, reply) => {
        if (isRefused || request.method !== 'PATCH') return
        isRefused = true
        await reply.code(423).send('locked')
      })
    }
  })
  t.ok(isRefused)
  t.match(printed, /\nOK: /)
})

t.test('without Redis, the cluster has S3 alone', s3, async t => {
  const { printed } = await clusterWith(t, { env: { REDIS_SERVER_PATH: '/does/not/exist' } })
  t.match(printed, /no Redis: .*npm run engines/)
  t.match(printed, /\nOK: /)
})

t.test('a file without 16 slices is refused', async t => {
  await t.rejects(clusterWith(t, { size: 31 }), { constructor: DemoError, message: /too small \(31 bytes\).* 32$/ })
})

t.test('a missing S3 server is reported', async t => {
  const message = 'versitygw is not installed: run "npm run engines", or set VERSITYGW_PATH'
  const env = { VERSITYGW_PATH: '/does/not/exist' }
  await t.rejects(clusterWith(t, { env }), { constructor: DemoError, message })
})

t.test('the cluster fails with faulty servers', s3, async t => {
  const cases: Array<[string, (server: FastifyInstance) => void, RegExp]> = [
    ['that refuse slices', server => {
      server.addHook('onRequest', async (request, reply) => {
        if (request.method === 'PATCH') await reply.code(403).send('no')
      })
    }, /^The upload failed: .*403/s],
    ['that have lost bytes', server => {
      server.addHook('onSend', async (request, reply) => {
        if (request.method === 'HEAD') reply.header('upload-offset', '0')
      })
    }, /^Bytes lost: the servers had acknowledged \d+$/]
  ]
  for (const [name, fault, message] of cases) {
    await t.test(name, async t => {
      await t.rejects(clusterWith(t, { fault }), { constructor: DemoError, message })
    })
  }
})
