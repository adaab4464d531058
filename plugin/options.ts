import type { FastifyRequest } from 'fastify'
import type { DataStore, FastifyTusHooks, Locker, Upload, UploadMetadata } from './types.ts'

/** When bytes are synced to disk, so that they survive a crash of the machine. */
export type Durability = 'none' | 'finished' | 'every-append'

export interface ExpirationOptions {
  /** How long an unfinished upload lives, in ms. */
  period: number
  /** The time between two sweeps, which delete expired uploads, in ms. Default 10 minutes; 0: only at the start. */
  sweepInterval?: number | undefined
  /** Count the period from the last stored byte instead of the creation. Default `true`. */
  sliding?: boolean | undefined
}

export interface CorsOptions {
  /** `'*'` (default), a list of origins, or a predicate. */
  origin?: '*' | string[] | ((origin: string) => boolean) | undefined
  /** Sends `Access-Control-Allow-Credentials: true`; needs a list or a function as `origin`. Default `false`. */
  credentials?: boolean | undefined
  /** How long a browser may cache a preflight, in seconds. Default 86400. */
  maxAge?: number | undefined
  /** More request headers to allow. */
  allowedHeaders?: string[] | undefined
  /** More response headers to expose. */
  exposedHeaders?: string[] | undefined
}

export interface PerClientOptions {
  /**
   * Identifies a client. Default: `request.ip`, which depends on `trustProxy`; of an IPv6 address the first 64 bits.
   * Requests without an address, as over a Unix socket, are one client.
   */
  key?: ((request: FastifyRequest) => string | Promise<string>) | undefined
  /** Unfinished uploads of one client. Default: no limit. */
  maxUploads?: number | undefined
  /** Concurrent bodies of one client. Default: no limit. */
  maxBodies?: number | undefined
}

export interface DownloadOptions {
  /**
   * Serves uploads while they grow: readers get bytes before `onUploadFinish` has run, which may still refuse them.
   * With `allowedTypes`, they get none before it has accepted the first bytes. Default `false`.
   */
  growing?: boolean | undefined
  /**
   * Media types that a browser may show; all others are saved, as `application/octet-stream`. Scripts and style sheets
   * are never shown. Default: common images, audio, video and plain text.
   */
  inline?: readonly string[] | undefined
  /** `Cross-Origin-Resource-Policy`: the pages that may embed downloads. Default: the header is not sent. */
  crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | undefined
  /**
   * Returns the URL from which a client gets a finished upload, such as a presigned URL of a bucket; `undefined` if the
   * plugin sends it. Called after `authorize`. Default: the plugin sends every upload.
   */
  redirect?:
    ((request: FastifyRequest, upload: Upload) => string | undefined | Promise<string | undefined>) | undefined
}

/** The extensions of tus 1.0.0. */
export const extensionNames = [
  'creation', 'creation-with-upload', 'creation-defer-length', 'checksum', 'checksum-trailer', 'concatenation',
  'concatenation-unfinished', 'expiration', 'termination'
] as const

export type Extension = (typeof extensionNames)[number]

/** Options with every default filled in. */
export type Settled<T> = { [Name in keyof T]-?: Exclude<T[Name], undefined> }

/** Options of the plugin. Every default is safe in production. */
export interface FastifyTusOptions extends FastifyTusHooks {
  /** The path of the uploads, as for every Fastify plugin. */
  prefix?: string
  /** The directory of the default store; created if missing. Either this or `datastore` is required. */
  directory?: string | undefined
  /** Another store: your own, or `@tus/s3-store`, `@tus/gcs-store`, `@tus/azure-store` … */
  datastore?: DataStore | undefined
  /** When the default store syncs to disk. Default `'finished'`: before the last response of an upload. */
  durability?: Durability | undefined
  /** Decides which request may write to an upload. Default: a `MemoryLocker`, for one process. */
  locker?: Locker | undefined
  /** How long a request waits for the lock of an upload before it is refused with 423, in ms. Default 10 seconds. */
  lockTimeout?: number | undefined
  /** After this time without a byte of a body, its connection is closed, in ms. Default 1 minute; 0: never. */
  idleTimeout?: number | undefined
  /**
   * The minimum rate of a body, in bytes per second, averaged over `idleTimeout`: the connection of a slower body is
   * closed. Default 100; 0, or an `idleTimeout` of 0, disables the check.
   */
  minRate?: number | undefined
  /** Unfinished uploads of all clients; needs `expiration`. Default: no limit. */
  maxUploads?: number | undefined
  /** Limits for each client. Default: none. */
  perClient?: PerClientOptions | undefined
  /** The maximum size of an upload, in bytes, or a function that returns it. Default: no limit. */
  maxSize?: number | ((request: FastifyRequest, metadata: UploadMetadata) => number | Promise<number>) | undefined
  /**
   * The media types to accept, such as `['video/*', 'image/png']`, detected from the first bytes of an upload. All text
   * is `text/plain`; unknown content is `application/octet-stream`. Default: everything, without detection.
   */
  allowedTypes?: readonly string[] | undefined
  /**
   * Returns the id of a new upload: up to 100 letters, digits, `.`, `_` and `-`, never used before. Default: 128 random
   * bits in hexadecimal.
   */
  namingFunction?: ((request: FastifyRequest, metadata: UploadMetadata) => string | Promise<string>) | undefined
  /** Whether `Location` is a path (default `true`) or an absolute URL, which depends on `trustProxy`. */
  relativeLocation?: boolean | undefined
  /** The URL or path of the prefix as clients see it, if a proxy rewrites it: `https://example.com/uploads`. */
  publicUrl?: string | undefined
  /** When unfinished uploads are deleted. Default: the store's own expiration, or never. */
  expiration?: ExpirationOptions | undefined
  /**
   * Disables extensions by name: `{ termination: false }`; their headers are ignored. Default: everything that the
   * store supports.
   */
  extensions?: Partial<Record<Extension, boolean>> | undefined
  /** Whether and how GET serves uploads. Default `true`: finished ones. */
  download?: boolean | DownloadOptions | undefined
  /** Cross-origin requests of browsers. `false` leaves them to the app. Default: all origins, no credentials. */
  cors?: boolean | CorsOptions | undefined
  /** Refuses DELETE of complete uploads with 403. Default `false`. */
  disableTerminationForFinishedUploads?: boolean | undefined
  /** The minimum time between two calls of `onProgress` for one body, in ms. Default 1 second. */
  progressInterval?: number | undefined
  /**
   * Serves Resumable Uploads for HTTP, the draft of the IETF, in addition to tus. Experimental: it follows the draft,
   * also in releases without a new major version. Default `false`.
   */
  resumableUpload?: boolean | undefined
  /**
   * Whether clients of `resumableUpload` that name a version of the draft get 104 (Upload Resumption Supported). Must
   * be `false` behind nginx with `proxy_http_version 1.1`. Default `true`.
   */
  interimResponses?: boolean | undefined
  /** Hides the routes from `@fastify/swagger`. Default `true`. */
  schemaHide?: boolean | undefined
}
