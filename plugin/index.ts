import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { errors } from './errors.ts'
import { MemoryLocker } from './locks/memory.ts'
import type { FastifyTusOptions } from './options.ts'
import { resolve } from './settings.ts'
import { AbleStore } from './stores/adapter.ts'
import { answerExpectContinue } from './http/expect-continue.ts'
import { offeredExtensions } from './protocols/tus-v1/extensions.ts'
import { mountTusV1 } from './protocols/tus-v1/routes.ts'
import { completeFinalUpload } from './uploads/concatenation.ts'
import { findUpload } from './uploads/find.ts'
import { Followers } from './uploads/followers.ts'
import { PendingFinals } from './uploads/pending-finals.ts'
import type { Scope } from './uploads/context.ts'
import { SlowBodies } from './uploads/body/min-rate.ts'
import { startSweeping } from './uploads/sweeper.ts'
import { Unfinished } from './uploads/limits/upload-quota.ts'

const plugin: FastifyPluginAsync<FastifyTusOptions> = async (fastify, options) => {
  const { settings, store: datastore } = resolve(besideFastifyCors(fastify, options))
  const store = new AbleStore(datastore)
  const shutdown = new AbortController()
  const scope: Scope = {
    settings,
    store,
    locker: options.locker ?? new MemoryLocker(),
    log: fastify.log,
    running: new Map(),
    finals: new PendingFinals((request, id) => completeFinalUpload(scope, request, id), fastify.log),
    unfinished: new Unfinished(settings),
    unmarked: new Map(),
    openBodies: new Map(),
    slowBodies: new SlowBodies(settings),
    followers: new Followers({
      find: (id) => findUpload(scope, id),
      read: (id, range) => store.readBytes(id, range),
      shutdown: shutdown.signal
    }),
    shutdown: shutdown.signal
  }
  warnOfRequestTimeout(fastify.server.requestTimeout, fastify.log)
  answerExpectContinue(fastify)
  mountTusV1(fastify, { scope, prefix: fastify.prefix, extensions: offeredExtensions(scope) })

  let stopSweeping = async () => {}
  fastify.addHook('onReady', async () => {
    // Without an interval once, at the start: a crash may have left something to do.
    if (store.canList) stopSweeping = startSweeping(scope, { interval: settings.expiration?.sweepInterval ?? 0 })
  })
  fastify.addHook('preClose', async () => {
    shutdown.abort(new errors.Shutdown())
    for (const stop of scope.running.keys()) stop.request(new errors.Shutdown())
  })
  fastify.addHook('onClose', async () => {
    await stopSweeping()
    await scope.finals.settled()
    await Promise.all(scope.running.values())
    await store.close().catch((err: unknown) => fastify.log.error({ err }, 'the store was not closed'))
  })
}

/** What `@fastify/cors` refuses must stay refused: where it is registered in front, it answers alone unless told. */
function besideFastifyCors (fastify: FastifyInstance, options: FastifyTusOptions): FastifyTusOptions {
  const isThere = fastify.hasRequestDecorator('corsPreflightEnabled')
  return isThere && options.cors === undefined ? { ...options, cors: false } : options
}

function warnOfRequestTimeout (timeout: number | undefined, log: { warn: (text: string) => void }): void {
  if (timeout) log.warn(`requestTimeout of ${timeout} ms cuts off bodies that take longer; use idleTimeout instead`)
}

/** Resumable uploads over tus 1.0.0, as a Fastify plugin. */
const fastifyTus = fp(plugin, { fastify: '5.x', name: 'fastify-tus', encapsulate: true })

export { fastifyTus, fastifyTus as default, fastifyTus as 'module.exports' }
export { errors, type TusError, type TusErrorConstructor } from './errors.ts'
export { MemoryLocker, type MemoryLockerOptions } from './locks/memory.ts'
export type {
  CorsOptions, DownloadOptions, Durability, ExpirationOptions, Extension, FastifyTusOptions, PerClientOptions
} from './options.ts'
export { FileStore, type FileStoreOptions } from './stores/file/file-store.ts'
export { TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from './http/cors.ts'
export type {
  Append, AppendOptions, Concatenation, DataStore, FastifyTusHooks, FinishResponse, Intent, KvStore, Lock, Locker,
  RequestRelease, Upload, UploadMetadata
} from './types.ts'
