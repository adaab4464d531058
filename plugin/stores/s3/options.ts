import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { check, milliseconds } from '../../checks.ts'
import { describe } from '../../description.ts'
import { INLINE_TYPES, typeMatcher } from '../../media-types.ts'
import type { Upload } from '../../types.ts'
import type { ObjectProperties } from './bucket/bucket.ts'
import { MIN_PART_BYTES } from './objects/plan-parts.ts'

const MIB = 1024 * 1024

export interface S3StoreOptions {
  bucket: string
  /** The client for all requests. Default: a client with `clientConfig`. */
  client?: S3Client | undefined
  /** The configuration of the client. Default: region and credentials from the environment, as in the AWS CLI. */
  clientConfig?: S3ClientConfig | undefined
  /** In front of the name of every object, such as `uploads/`. Default: nothing. */
  prefix?: string | undefined
  /** How many bytes are stored with one request, at least 5 MiB. Large uploads take more. Default 8 MiB. */
  segmentSize?: number | undefined
  /** How many bytes of all bodies are in memory, about, until they are stored. Default 256 MiB. */
  memory?: number | undefined
  /** How long a failed request is retried, in ms. The client then gets an error, and resumes. Default 30 s. */
  retryTime?: number | undefined
  /**
   * Whether the server honours `If-Match` and `If-None-Match`. If not, only a locker that all processes share keeps
   * them from writing to the same upload. Default `true`.
   */
  conditionalWrites?: boolean | undefined
  /**
   * How long an unfinished upload lives, in ms, unless the plugin has an `expiration` of its own. Default 0: forever.
   */
  expirationPeriodInMilliseconds?: number | undefined
  /** More properties of the object of an upload, such as `StorageClass` or `ServerSideEncryption`. */
  objectProperties?: ((upload: Upload) => ObjectProperties) | undefined
}

export interface S3Settings {
  bucket: string
  client: S3Client
  prefix: string
  segmentSize: number
  memory: number
  retryTime: number
  isConditional: boolean
  expiration: number
  propertiesOf: (upload: Upload) => ObjectProperties
}

/** A connection that is silent for this long is broken, in ms. Many readers may pause at the same time. */
const agent = { keepAlive: true, maxSockets: 256 }
const requestHandler = { connectionTimeout: 5000, socketTimeout: 30_000, httpAgent: agent, httpsAgent: agent }

/** @throws FST_TUS_INVALID_OPTION */
export function resolveOptions (options: S3StoreOptions): S3Settings {
  const { bucket, prefix = '', segmentSize = 8 * MIB, memory = 256 * MIB, client, clientConfig } = options
  check(typeof bucket === 'string' && bucket !== '', '"bucket" must be the name of a bucket')
  check(typeof prefix === 'string' && !prefix.startsWith('/'), '"prefix" must be a string that does not begin with "/"')
  check(Number.isSafeInteger(segmentSize) && segmentSize >= MIN_PART_BYTES,
    '"segmentSize" must be an integer of at least 5242880 (bytes)')
  check(Number.isSafeInteger(memory) && memory > 0, '"memory" must be an integer above 0 (bytes)')
  check(client === undefined || clientConfig === undefined, '"client" and "clientConfig" cannot be combined')
  return {
    bucket,
    client: client ?? new S3Client({ requestHandler, ...clientConfig }),
    prefix,
    segmentSize,
    memory,
    retryTime: milliseconds('retryTime', options.retryTime, 30_000),
    isConditional: options.conditionalWrites ?? true,
    expiration: options.expirationPeriodInMilliseconds ?? 0,
    propertiesOf: (upload) => ({ ...propertiesFrom(upload), ...options.objectProperties?.(upload) })
  }
}

const isInline = typeMatcher(INLINE_TYPES)

/** A page in another site that loads the object must not run it. */
function propertiesFrom ({ metadata }: Upload): ObjectProperties {
  const { type, disposition } = describe(metadata, isInline)
  return { ContentType: type, ContentDisposition: disposition }
}
