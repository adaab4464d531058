import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import fastifyTus from '../plugin/index.ts'
import type { FastifyTusHooks } from '../plugin/index.ts'
import { readConfig } from './config.ts'
import type { Config } from './config.ts'
import { deleteEmptyUploads } from './empty-uploads.ts'
import { createEngines } from './engines.ts'
import type { EngineConfig } from './engines.ts'
import { PAGE_HEADERS } from './page-headers.ts'
import { serveReadiness } from './readiness.ts'

// The app runs from `dist/src/` once built, and from `src/` in development.
const clientPlaces = ['../client', '../dist/client'].map(path => join(import.meta.dirname, path))

/** Options of the app. */
export interface AppOptions {
  /** Default: read from the environment, so that fastify-cli can start the app too. */
  config?: EngineConfig & Pick<Config, 'prefix' | 'maxSize' | 'expiration' | 'sweepInterval'>
  /** The directory of the built example client. Default: the output of `npm run build`. */
  client?: string
}

/** The runnable server as a plugin: uploads and a list of them, a health check, and the example client at `/`. */
export default async function app (fastify: FastifyInstance, opts: AppOptions): Promise<void> {
  const config = opts.config ?? readConfig()
  const { prefix, maxSize, expiration, sweepInterval } = config

  const { store, locks } = await createEngines(config)
  fastify.log.info(`uploads in ${store.name}, locks in ${locks.name}`)
  fastify.addHook('onClose', async () => locks.close())
  await fastify.register(fastifyTus, {
    prefix,
    ...store.options,
    locker: locks.locker,
    download: { growing: true },
    ...maxSize > 0 && { maxSize },
    ...expiration > 0 && { expiration: { period: expiration, sweepInterval } },
    ...lifecycleLog(fastify)
  })

  if (expiration > 0 && store.files !== undefined) {
    deleteEmptyUploads(fastify, store.files, { expiration, sweepInterval })
  }

  await fastify.register(async (own) => {
    own.addHook('onRequest', async (_request, reply) => { reply.headers(PAGE_HEADERS) })

    own.get('/healthz', async () => ({ status: 'ok' }))
    serveReadiness(own, async () => {
      await Promise.all([store.check(), locks.check()])
    })

    // own.prefix and not opts.prefix: it is the complete path if the app is mounted below another one.
    own.get('/config.json', async () => ({ endpoint: `${own.prefix}${prefix}` }))

    own.get('/api/uploads', { schema: { querystring: pageQuery } }, async (request) => {
      const { limit, before } = request.query as { limit: number, before?: string }
      return store.uploads.page(limit, before)
    })

    await servePage(own, opts.client ? [opts.client] : clientPlaces)
  })
}

async function servePage (fastify: FastifyInstance, places: string[]): Promise<void> {
  const client = places.find(place => existsSync(join(place, 'index.html')))
  if (client) {
    await fastify.register(fastifyStatic, { root: client, wildcard: false })
  } else {
    fastify.get('/', async (_request, reply) => reply
      .code(404)
      .type('text/plain; charset=utf-8')
      .send('The example client is not built yet. To build it, run: npm run build\n'))
  }
}

const pageQuery = {
  type: 'object',
  properties: {
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    before: { type: 'string', pattern: '^\\d+-[\\w.-]+$' }
  }
}

/** Hooks that log when an upload is created, finished or terminated. */
export function lifecycleLog (fastify: FastifyInstance): FastifyTusHooks {
  return {
    onUploadCreate (request, { id, size }) {
      request.log.info({ upload: { id, size } }, 'creating upload')
    },
    onUploadFinish (request, { id, size }) {
      const log = request?.log ?? fastify.log
      log.info({ upload: { id, size } }, 'upload finished')
    },
    onUploadTerminate (request, { id, size }) {
      request.log.info({ upload: { id, size } }, 'upload terminated')
    }
  }
}
