import type { FastifyRequest } from 'fastify'
import type { DataStore, FastifyTusHooks, Locker, UploadMetadata } from './types.ts'

/** When bytes are flushed from the system's memory to the disk, which is what a crash of the machine does not undo. */
export type Durability = 'none' | 'finished' | 'every-append'

export interface ExpirationOptions {
  /** How long an unfinished upload lives, in ms. */
  period: number
  /** How often expired uploads are looked for and deleted, in ms. Default 10 minutes; 0: never. */
  sweepInterval?: number | undefined
  /** Count the period from the last stored byte, not from the creation. Default `true`. */
  sliding?: boolean | undefined
}

export interface CorsOptions {
  /** `'*'` for all (the default), a list of origins, or a function that tells. */
  origin?: '*' | string[] | ((origin: string) => boolean) | undefined
  /** Sends `Access-Control-Allow-Credentials: true`; needs a list or a function as `origin`. Default `false`. */
  credentials?: boolean | undefined
  /** How long a browser may remember a preflight, in seconds. Default 86400. */
  maxAge?: number | undefined
  /** Names of request headers to allow beside those of tus. */
  allowedHeaders?: string[] | undefined
  /** Names of response headers to expose beside those of tus. */
  exposedHeaders?: string[] | undefined
}

export interface PerClientOptions {
  /** Who a client is. Default: `request.ip`, by the rules of `trustProxy`. */
  key?: ((request: FastifyRequest) => string | Promise<string>) | undefined
  /** How many unfinished uploads one may have. Default: no limit. */
  maxUploads?: number | undefined
  /** How many bodies one may send at a time. Default: no limit. */
  maxBodies?: number | undefined
}

export interface DownloadOptions {
  /** Whether uploads are served while they still grow, before `onUploadFinish` has seen them. Default `false`. */
  growing?: boolean | undefined
  /** Media types that a browser may show; others it saves. Default: common images, audio, video, and plain text. */
  inline?: readonly string[] | undefined
  /** `Cross-Origin-Resource-Policy`: whose pages may embed downloads. Default: the header is not sent. */
  crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | undefined
}

/** The extensions of tus 1.0.0. */
export const extensionNames = [
  'creation', 'creation-with-upload', 'creation-defer-length', 'checksum', 'checksum-trailer', 'concatenation',
  'concatenation-unfinished', 'expiration', 'termination'
] as const

export type Extension = (typeof extensionNames)[number]

/** Options with every default filled in. */
export type Settled<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> }

/** Options of the plugin. Everything has a default that is safe in production. */
export interface FastifyTusOptions extends FastifyTusHooks {
  /** Where uploads are mounted, as with every Fastify plugin. */
  prefix?: string
  /** Where the default store keeps uploads; made if missing. Either this or `datastore` must be given. */
  directory?: string | undefined
  /** A store of your own, or one of `@tus/s3-store`, `@tus/gcs-store`, `@tus/azure-store` … */
  datastore?: DataStore | undefined
  /** When the default store flushes to disk. Default `'finished'`: before the last answer of an upload. */
  durability?: Durability | undefined
  /** Who may write. Default: a `MemoryLocker`, right for one process. */
  locker?: Locker | undefined
  /** How long a request waits for an upload in use before it is answered with 423, in ms. Default 10 seconds. */
  lockTimeout?: number | undefined
  /** After how long without a byte a body's connection is closed, in ms. Default 1 minute; 0: never. */
  idleTimeout?: number | undefined
  /**
   * How fast a body must come, in bytes a second on the average of `idleTimeout`; the connection of a slower one is
   * closed. Default 100; 0, or an `idleTimeout` of 0: as slowly as it likes.
   */
  minRate?: number | undefined
  /** How many unfinished uploads there may be; needs `expiration`. Default: no limit. */
  maxUploads?: number | undefined
  /** Limits for each client. Default: none. */
  perClient?: PerClientOptions | undefined
  /** The largest upload to accept, in bytes, or a function that tells. Default: no limit. */
  maxSize?: number | ((request: FastifyRequest, metadata: UploadMetadata) => number | Promise<number>) | undefined
  /**
   * The media types to accept, judged by the first bytes that arrive: `['video/*', 'image/png']`. Text of every kind is
   * `text/plain`, what is not known `application/octet-stream`. Default: all, and nothing is looked at.
   */
  allowedTypes?: readonly string[] | undefined
  /**
   * Makes the id of a new upload: letters, digits, `.`, `_` and `-`, 100 at most, never one that was used before.
   * Default: 128 random bits in hexadecimal.
   */
  namingFunction?: ((request: FastifyRequest, metadata: UploadMetadata) => string | Promise<string>) | undefined
  /** Whether `Location` is a path (the default) or an absolute URL by the rules of `trustProxy`. */
  relativeLocation?: boolean | undefined
  /** The URL, or path, under which clients see the prefix, where a proxy rewrites it: `https://example.com/uploads`. */
  publicUrl?: string | undefined
  /** When unfinished uploads are deleted. Default: the store's own expiration, or never. */
  expiration?: ExpirationOptions | undefined
  /** Switches extensions off, by their names: `{ termination: false }`. Default: all that the store is able to do. */
  extensions?: Partial<Record<Extension, boolean>> | undefined
  /** Whether, and how, uploads are served by GET. Default `true`: finished ones. */
  download?: boolean | DownloadOptions | undefined
  /** Answers browsers of other origins. `false` leaves that to the app. Default: all origins, no credentials. */
  cors?: boolean | CorsOptions | undefined
  /** Refuses DELETE of finished uploads with 403. Default `false`. */
  disableTerminationForFinishedUploads?: boolean | undefined
  /** The shortest time between two calls of `onProgress` for one body, in ms. Default 1 second. */
  progressInterval?: number | undefined
  /** Hides the routes from generated schemas, as in `@fastify/static`. Default `true`. */
  schemaHide?: boolean | undefined
}

/** Every option, and what Fastify itself takes of the options of a plugin. */
export const knownOptions: Record<keyof FastifyTusOptions | 'logLevel' | 'logSerializers', true> = {
  allowedTypes: true,
  authorize: true,
  cors: true,
  datastore: true,
  directory: true,
  disableTerminationForFinishedUploads: true,
  download: true,
  durability: true,
  expiration: true,
  extensions: true,
  idleTimeout: true,
  locker: true,
  lockTimeout: true,
  logLevel: true,
  logSerializers: true,
  maxSize: true,
  maxUploads: true,
  minRate: true,
  namingFunction: true,
  onProgress: true,
  onUploadCreate: true,
  onUploadExpire: true,
  onUploadFinish: true,
  onUploadTerminate: true,
  perClient: true,
  prefix: true,
  progressInterval: true,
  publicUrl: true,
  relativeLocation: true,
  schemaHide: true
}
