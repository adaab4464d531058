import type { FastifyRequest } from 'fastify'
import {
  check, checkNone, flag, isBaseUrl, isListOfOrigins, isListOfTokens, isObject, limit, MAX_PERIOD, milliseconds,
  sizeLimit, wholeNumber
} from './checks.ts'
import { INLINE_TYPES, isMediaRange, isScriptType, typeMatcher } from './media-types.ts'
import { extensionNames } from './options.ts'
import type {
  CorsOptions, DownloadOptions, ExpirationOptions, FastifyTusOptions, PerClientOptions, Settled
} from './options.ts'
import type { FastifyTusHooks, UploadMetadata } from './types.ts'
import { clientAddress } from './uploads/limits/client-address.ts'

/** How uploads are served. */
export interface DownloadSettings {
  /** Whether uploads are served while they grow. */
  growing: boolean
  /** Whether a browser may show a media type, given in lower case and without parameters. */
  isInline: (type: string) => boolean
  crossOriginResourcePolicy: DownloadOptions['crossOriginResourcePolicy']
  redirect: DownloadOptions['redirect']
}

/** The checked options, except those of the store and the locker, with every default filled in. */
export interface Settings extends FastifyTusHooks {
  lockTimeout: number
  idleTimeout: number
  /** In bytes per second. */
  minRate: number
  /** `Infinity` for no limit; so in `perClient`. */
  maxUploads: number
  perClient: Settled<PerClientOptions>
  /** `Infinity` for no limit. */
  maxSize: number | ((request: FastifyRequest, metadata: UploadMetadata) => number | Promise<number>)
  namingFunction: FastifyTusOptions['namingFunction']
  /** Whether a detected media type is accepted; `undefined`: nothing is detected. */
  isAllowedType: ((type: string) => boolean) | undefined
  relativeLocation: boolean
  publicUrl: string | undefined
  /** As configured; the store may have a period of its own. */
  expiration: Settled<ExpirationOptions> | undefined
  /** Extensions that are disabled. */
  disabledExtensions: ReadonlySet<string>
  /** `undefined`: nothing is served. */
  download: DownloadSettings | undefined
  cors: Settled<CorsOptions> | undefined
  disableTerminationForFinishedUploads: boolean
  progressInterval: number
  schemaHide: boolean
  resumableUpload: boolean
  interimResponses: boolean
}

const hooks = [
  'authorize', 'onUploadCreate', 'onUploadFinish', 'onUploadTerminate', 'onUploadExpire', 'onProgress'
] as const

/**
 * Checks every option and fills in the defaults. Those of store and locker are checked in `engines.ts`.
 * @throws FST_TUS_INVALID_OPTION
 */
export function resolveSettings (options: FastifyTusOptions): Settings {
  const {
    authorize, onUploadCreate, onUploadFinish, onUploadTerminate, onUploadExpire, onProgress, namingFunction,
    lockTimeout, idleTimeout, progressInterval, minRate, maxUploads, perClient, maxSize, allowedTypes, schemaHide,
    relativeLocation, publicUrl, download, disableTerminationForFinishedUploads, expiration, extensions, cors,
    resumableUpload, interimResponses, ...others
  } = options
  checkKnown(others)
  check(publicUrl === undefined || isBaseUrl(publicUrl), '"publicUrl" must be an http(s) URL or an absolute path')
  for (const name of [...hooks, 'namingFunction'] as const) {
    check(options[name] === undefined || typeof options[name] === 'function', `"${name}" must be a function`)
  }
  return {
    authorize,
    onUploadCreate,
    onUploadFinish,
    onUploadTerminate,
    onUploadExpire,
    onProgress,
    namingFunction,
    lockTimeout: milliseconds('lockTimeout', lockTimeout, 10_000),
    idleTimeout: milliseconds('idleTimeout', idleTimeout, 60_000),
    progressInterval: milliseconds('progressInterval', progressInterval, 1000),
    minRate: wholeNumber('minRate', minRate, 100),
    maxUploads: limit('maxUploads', maxUploads),
    perClient: resolvePerClient(perClient),
    maxSize: typeof maxSize === 'function' ? maxSize : sizeLimit(maxSize),
    isAllowedType: resolveAllowedTypes(allowedTypes),
    schemaHide: flag('schemaHide', schemaHide, true),
    resumableUpload: flag('resumableUpload', resumableUpload, false),
    interimResponses: flag('interimResponses', interimResponses, true),
    relativeLocation: flag('relativeLocation', relativeLocation, true),
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    download: resolveDownload(download),
    disableTerminationForFinishedUploads:
      flag('disableTerminationForFinishedUploads', disableTerminationForFinishedUploads, false),
    expiration: resolveExpiration(expiration),
    disabledExtensions: resolveExtensions(extensions),
    cors: resolveCors(cors)
  }
}

/** Refuses unknown options. The known ones that remain belong to the store, the locker or Fastify. */
function checkKnown (
  others: Pick<FastifyTusOptions, 'prefix' | 'directory' | 'datastore' | 'durability' | 'locker'>
): void {
  const { prefix, directory, datastore, durability, locker, ...fastify } = others
  for (const name of Object.keys(fastify)) {
    check(['logLevel', 'logSerializers'].includes(name), `"${name}" is unknown`)
  }
}

function resolveDownload (download: FastifyTusOptions['download'] = true): DownloadSettings | undefined {
  if (download === false) return undefined
  check(download === true || isObject(download), '"download" must be true, false or an object')
  const options: DownloadOptions = Object(download)
  const { growing, inline = INLINE_TYPES, crossOriginResourcePolicy, redirect, ...unknown } = options
  checkNone('download', unknown)
  check(Array.isArray(inline) && inline.every(isMediaRange), '"download.inline" must be a list of media types')
  for (const type of inline) {
    check(!isScriptType(type.toLowerCase()),
      `"download.inline" must not contain ${type}: it is a script or a style sheet`)
  }
  const isShown = typeMatcher(inline)
  check([undefined, 'same-origin', 'same-site', 'cross-origin'].includes(crossOriginResourcePolicy),
    '"download.crossOriginResourcePolicy" must be "same-origin", "same-site" or "cross-origin"')
  check(redirect === undefined || typeof redirect === 'function', '"download.redirect" must be a function')
  return {
    growing: flag('download.growing', growing, false),
    isInline: (type) => isShown(type) && !isScriptType(type),
    crossOriginResourcePolicy,
    redirect
  }
}

function resolveAllowedTypes (types: FastifyTusOptions['allowedTypes']): Settings['isAllowedType'] {
  if (types === undefined) return undefined
  check(Array.isArray(types) && types.length > 0 && types.every(isMediaRange),
    '"allowedTypes" must be a list of media types')
  return typeMatcher(types)
}

/** The default time between two sweeps, in ms. */
export const SWEEP_INTERVAL = 600_000

function resolveExpiration (expiration: ExpirationOptions | undefined): Settings['expiration'] {
  if (expiration === undefined) return undefined
  check(isObject(expiration), '"expiration" must be an object with a "period"')
  const { period: given, sweepInterval, sliding, ...unknown } = expiration
  checkNone('expiration', unknown)
  const period = wholeNumber('expiration.period', given, 0)
  check(period > 0 && period <= MAX_PERIOD, `"expiration.period" must be from 1 to ${MAX_PERIOD} milliseconds`)
  return {
    period,
    sweepInterval: milliseconds('expiration.sweepInterval', sweepInterval, SWEEP_INTERVAL),
    sliding: flag('expiration.sliding', sliding, true)
  }
}

function resolveExtensions (extensions: FastifyTusOptions['extensions'] = {}): Set<string> {
  check(isObject(extensions), '"extensions" must be an object of extension names and booleans')
  const off = new Set<string>()
  for (const [name, on] of Object.entries(extensions)) {
    check((extensionNames as readonly string[]).includes(name),
      `"extensions.${name}" is unknown, expected one of ${extensionNames.join(', ')}`)
    if (!flag(`extensions.${name}`, on, true)) off.add(name)
  }
  return off
}

function resolvePerClient (perClient: FastifyTusOptions['perClient'] = {}): Settled<PerClientOptions> {
  check(isObject(perClient), '"perClient" must be an object')
  const { key = clientAddress, maxUploads, maxBodies, ...unknown } = perClient
  checkNone('perClient', unknown)
  check(typeof key === 'function', '"perClient.key" must be a function')
  return {
    key,
    maxUploads: limit('perClient.maxUploads', maxUploads),
    maxBodies: limit('perClient.maxBodies', maxBodies)
  }
}

function resolveCors (cors: FastifyTusOptions['cors'] = true): Settled<CorsOptions> | undefined {
  check(typeof cors === 'boolean' || isObject(cors), '"cors" must be true, false or an object')
  if (cors === false) return undefined
  const {
    origin = '*', credentials, maxAge, allowedHeaders = [], exposedHeaders = [], ...unknown
  } = cors === true ? {} : cors
  checkNone('cors', unknown)
  check(origin === '*' || typeof origin === 'function' || isListOfOrigins(origin),
    '"cors.origin" must be "*", a list of origins or a function')
  check(isListOfTokens(allowedHeaders), '"cors.allowedHeaders" must be a list of header names')
  check(isListOfTokens(exposedHeaders), '"cors.exposedHeaders" must be a list of header names')
  const resolved = {
    origin,
    credentials: flag('cors.credentials', credentials, false),
    maxAge: wholeNumber('cors.maxAge', maxAge, 86_400),
    allowedHeaders,
    exposedHeaders
  }
  check(!(resolved.credentials && origin === '*'), '"cors.credentials" needs a list or a function as "cors.origin"')
  return resolved
}
