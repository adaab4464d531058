import type { FastifyRequest } from 'fastify'
import {
  check, checkNone, flag, isBaseUrl, isListOfOrigins, isListOfTokens, isObject, limit, MAX_PERIOD, milliseconds,
  sizeLimit, wholeNumber
} from './checks.ts'
import { INLINE_TYPES, isMediaRange, typeMatcher } from './media-types.ts'
import { extensionNames, knownOptions } from './options.ts'
import type {
  CorsOptions, DownloadOptions, ExpirationOptions, FastifyTusOptions, PerClientOptions, Settled
} from './options.ts'
import { FileStore } from './stores/file/file-store.ts'
import type { DataStore, FastifyTusHooks, UploadMetadata } from './types.ts'

/** How uploads are served. */
export interface DownloadSettings {
  /** Whether unfinished uploads are served too, as they grow. */
  growing: boolean
  /** Whether a media type, in lower case and without parameters, may be shown in the window of a browser. */
  isInline: (type: string) => boolean
  crossOriginResourcePolicy: DownloadOptions['crossOriginResourcePolicy']
}

/** The options, checked, with every default filled in. */
export interface Settings extends FastifyTusHooks {
  lockTimeout: number
  idleTimeout: number
  /** In bytes a second. */
  minRate: number
  /** `Infinity` for no limit; so in `perClient`. */
  maxUploads: number
  perClient: Settled<PerClientOptions>
  /** `Infinity` for no limit. */
  maxSize: number | ((request: FastifyRequest, metadata: UploadMetadata) => number | Promise<number>)
  namingFunction: FastifyTusOptions['namingFunction']
  /** Whether a media type, told by the first bytes, is accepted; `undefined`: nothing is looked at. */
  isAllowedType: ((type: string) => boolean) | undefined
  relativeLocation: boolean
  publicUrl: string | undefined
  expiration: Settled<ExpirationOptions> | undefined
  /** Those that are switched off. */
  switchedOff: ReadonlySet<string>
  /** `undefined`: nothing is served. */
  download: DownloadSettings | undefined
  cors: Settled<CorsOptions> | undefined
  disableTerminationForFinishedUploads: boolean
  progressInterval: number
  schemaHide: boolean
}

/**
 * Checks every option, and only then makes what is missing.
 * @throws FST_TUS_INVALID_OPTION
 * @throws FST_TUS_DIRECTORY
 */
export function resolve (options: FastifyTusOptions): { settings: Settings, store: DataStore } {
  for (const name of Object.keys(options)) check(name in knownOptions, `"${name}" is not known`)
  const settings = resolveOptions(options)
  const store = resolveStore(options)
  const expiration = expirationOf(settings, store)
  const limits = { maxUploads: settings.maxUploads, 'perClient.maxUploads': settings.perClient.maxUploads }
  for (const [name, max] of Object.entries(limits)) {
    check(max === Infinity || expiration !== undefined,
      `"${name}" needs "expiration": abandoned uploads count until then`)
  }
  check(settings.download?.growing !== true || store.abilities?.includes('ranges') === true,
    '"download.growing" needs a store that is able to read "ranges"')
  check(settings.isAllowedType === undefined || store.read !== undefined,
    '"allowedTypes" needs a store that is able to read')
  return { settings: { ...settings, expiration }, store }
}

/** Where uploads go: what the options name, or the default store in the directory that they name. */
function resolveStore (options: FastifyTusOptions): DataStore {
  const { datastore, directory, durability, locker } = options
  check(datastore === undefined || directory === undefined, '"directory" and "datastore" exclude each other')
  if (datastore !== undefined) {
    const methods = ['create', 'write', 'getUpload', 'remove', 'declareUploadLength', 'getExpiration'] as const
    check(isObject(datastore), '"datastore" must be a store')
    for (const method of methods) {
      check(typeof datastore[method] === 'function', `"datastore" must have a method "${method}"`)
    }
    check(Array.isArray(datastore.extensions), '"datastore" must have a list "extensions"')
    check(durability === undefined, '"durability" is for the default store only')
    return datastore
  }
  check(typeof directory === 'string' && directory !== '', '"directory" must be a path, or "datastore" a store')
  check(durability === undefined || ['none', 'finished', 'every-append'].includes(durability),
    '"durability" must be "none", "finished" or "every-append"')
  // A locker of the app's own may be shared: by other processes, or by another registration on the same directory.
  const exclusive = locker === undefined
  return new FileStore({ directory, exclusive, ...(durability === undefined ? {} : { durability }) })
}

/**
 * Checks every option and fills in the defaults.
 * @throws FST_TUS_INVALID_OPTION
 */
export function resolveOptions (options: FastifyTusOptions): Settings {
  const { locker, maxSize, publicUrl } = options
  check(locker === undefined || (isObject(locker) && typeof locker.newLock === 'function'),
    '"locker" must have a method "newLock"')
  check(publicUrl === undefined || isBaseUrl(publicUrl), '"publicUrl" must be an http(s) URL or an absolute path')
  for (const name of functions) {
    check(options[name] === undefined || typeof options[name] === 'function', `"${name}" must be a function`)
  }
  return {
    ...Object.fromEntries(functions.map((name) => [name, options[name]])),
    namingFunction: options.namingFunction,
    lockTimeout: milliseconds('lockTimeout', options.lockTimeout, 10_000),
    idleTimeout: milliseconds('idleTimeout', options.idleTimeout, 60_000),
    progressInterval: milliseconds('progressInterval', options.progressInterval, 1000),
    minRate: wholeNumber('minRate', options.minRate, 100),
    maxUploads: limit('maxUploads', options.maxUploads),
    perClient: resolvePerClient(options.perClient),
    maxSize: typeof maxSize === 'function' ? maxSize : sizeLimit(maxSize),
    isAllowedType: resolveAllowedTypes(options.allowedTypes),
    schemaHide: flag('schemaHide', options.schemaHide, true),
    relativeLocation: flag('relativeLocation', options.relativeLocation, true),
    publicUrl: publicUrl?.replace(/\/+$/, ''),
    download: resolveDownload(options.download),
    disableTerminationForFinishedUploads:
      flag('disableTerminationForFinishedUploads', options.disableTerminationForFinishedUploads, false),
    expiration: resolveExpiration(options.expiration),
    switchedOff: resolveExtensions(options.extensions),
    cors: resolveCors(options.cors)
  }
}

function resolveDownload (download: FastifyTusOptions['download'] = true): DownloadSettings | undefined {
  if (download === false) return undefined
  check(download === true || isObject(download), '"download" must be true, false, or an object')
  const { growing, inline = INLINE_TYPES, crossOriginResourcePolicy, ...unknown }: DownloadOptions = Object(download)
  checkNone('download', unknown)
  check(Array.isArray(inline) && inline.every(isMediaRange), '"download.inline" must be a list of media types')
  check([undefined, 'same-origin', 'same-site', 'cross-origin'].includes(crossOriginResourcePolicy),
    '"download.crossOriginResourcePolicy" must be "same-origin", "same-site" or "cross-origin"')
  return {
    growing: flag('download.growing', growing, false),
    isInline: typeMatcher(inline),
    crossOriginResourcePolicy
  }
}

function resolveAllowedTypes (types: FastifyTusOptions['allowedTypes']): Settings['isAllowedType'] {
  if (types === undefined) return undefined
  check(Array.isArray(types) && types.length > 0 && types.every(isMediaRange),
    '"allowedTypes" must be a list of media types')
  return typeMatcher(types)
}

/** How often is swept where nothing is said, in ms. */
const SWEEP_INTERVAL = 600_000

const functions = [
  'authorize', 'onUploadCreate', 'onUploadFinish', 'onUploadTerminate', 'onUploadExpire', 'onProgress', 'namingFunction'
] as const

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

/** When uploads expire: as the options say, or else the store; stores count from the creation. */
function expirationOf ({ expiration, switchedOff }: Settings, store: DataStore): Settings['expiration'] {
  if (switchedOff.has('expiration')) return undefined
  if (expiration !== undefined) return expiration
  const period = store.getExpiration()
  return period > 0 ? { period, sweepInterval: SWEEP_INTERVAL, sliding: false } : undefined
}

function resolveExtensions (extensions: FastifyTusOptions['extensions'] = {}): Set<string> {
  check(isObject(extensions), '"extensions" must be an object of extensions and true or false')
  const off = new Set<string>()
  for (const [name, on] of Object.entries(extensions)) {
    check((extensionNames as readonly string[]).includes(name), `"extensions.${name}" is none of ${extensionNames.join(', ')}`)
    if (!flag(`extensions.${name}`, on, true)) off.add(name)
  }
  return off
}

function resolvePerClient (perClient: FastifyTusOptions['perClient'] = {}): Settled<PerClientOptions> {
  check(isObject(perClient), '"perClient" must be an object')
  const { key = ({ ip }) => ip, maxUploads, maxBodies, ...unknown } = perClient
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
