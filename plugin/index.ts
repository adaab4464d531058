import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { matchSettings, resolveEngines } from './engines.ts'
import { errors } from './errors.ts'
import { answerExpectContinue } from './http/expect-continue.ts'
import type { FastifyTusOptions } from './options.ts'
import { mountUploads } from './protocols/dispatch.ts'
import { ResumableUpload } from './protocols/resumable-upload/index.ts'
import { TusV1 } from './protocols/tus-v1/index.ts'
import { resolveSettings } from './settings.ts'
import { createContext } from './uploads/context.ts'
import { startSweeping } from './uploads/expiration/sweeper.ts'

const plugin: FastifyPluginAsync<FastifyTusOptions> = async (fastify, options) => {
  const settings = resolveSettings(withFastifyCors(fastify, options))
  const engines = resolveEngines(options)
  const shutdown = new AbortController()
  const context = createContext(
    matchSettings(settings, engines.store), engines, fastify.log, fastify.prefix, shutdown.signal
  )
  warnOfRequestTimeout(fastify)
  answerExpectContinue(fastify)
  const others = settings.resumableUpload ? [new ResumableUpload(context, fastify.prefix)] : []
  mountUploads(fastify, context, [new TusV1(context, fastify.prefix), ...others])

  let stopSweeping = async () => {}
  fastify.addHook('onReady', async () => {
    await context.store.prepare()
    const interval = context.settings.expiration?.sweepInterval ?? 0
    // Also without an interval, once: a crash may have left work.
    if (context.store.capabilities.has('expiration')) stopSweeping = startSweeping(context, { interval })
  })
  fastify.addHook('preClose', async () => {
    shutdown.abort(new errors.Shutdown())
  })
  fastify.addHook('onClose', async () => {
    await stopSweeping()
    await context.background.settled()
    await context.locks.settled()
    await close(fastify, 'store', () => engines.store.close())
    await close(fastify, 'locker', async () => { await engines.locker.close?.() })
    engines.release()
  })
}

/**
 * If `@fastify/cors` is registered before the plugin, it alone sets CORS headers: origins that it refuses must stay
 * refused.
 */
function withFastifyCors (fastify: FastifyInstance, options: FastifyTusOptions): FastifyTusOptions {
  const isRegistered = fastify.hasRequestDecorator('corsPreflightEnabled')
  return isRegistered && options.cors === undefined ? { ...options, cors: false } : options
}

function warnOfRequestTimeout ({ server, log }: FastifyInstance): void {
  const { requestTimeout } = server
  if (requestTimeout) log.warn(`requestTimeout of ${requestTimeout} ms ends bodies that take longer; use idleTimeout instead`)
}

async function close ({ log }: FastifyInstance, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (err) {
    log.error({ err }, `${name} not closed`)
  }
}

/** Resumable uploads for Fastify. */
const fastifyTus = fp(plugin, { fastify: '5.x', name: 'fastify-tus', encapsulate: true })

export { fastifyTus, fastifyTus as default }
export { errors, type ErrorData, type TusError, type TusErrorConstructor } from './errors.ts'
export { MemoryLocker, type MemoryLockerOptions } from './locks/memory.ts'
export { LocalLocker, type LocalLockerOptions } from './locks/local/local-locker.ts'
export type {
  CorsOptions, DownloadOptions, Durability, ExpirationOptions, Extension, FastifyTusOptions, PerClientOptions
} from './options.ts'
export { TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from './protocols/cors-headers.ts'
export { FileStore, type FileStoreOptions } from './stores/file/file-store.ts'
export { MemoryStore } from './stores/memory.ts'
export type {
  Append, AppendOptions, Capability, CommitOptions, Concatenation, CountedGroup, Counter, DataStore, FastifyTusHooks,
  FinishResponse, FullGroup, Intent, KvStore, Lock, Locker, RequestRelease, Upload, UploadChanges, UploadMetadata,
  UploadReference
} from './types.ts'
export type {
  AppendEndedEvent, BodyEvent, FailedEvent, LockWaitedEvent, StoredEvent, SweptEvent, UploadEvent, UploadEventName,
  UploadEvents
} from './uploads/events/events.ts'
