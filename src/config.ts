import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { envSchema } from 'env-schema'
import { StartError } from './errors.ts'
import { settings } from './settings.ts'
import type { Setting, SettingName } from './settings.ts'

/** The configuration of the server. */
export interface Config {
  host: string
  /** The allowed values of `Host`, `*` for any; empty: the names of this machine if only it can reach the server. */
  allowedHosts: string[]
  port: number
  /** Begins with a slash and does not end with one. */
  prefix: string
  directory: string
  /** How many processes. */
  workers: number
  /** In bytes; 0: no limit. */
  maxSize: number
  /** In ms; 0: never. */
  expiration: number
  /** In ms; 0: never. */
  sweepInterval: number
  /** The bucket of the uploads, instead of `directory`. */
  s3: S3Config | undefined
  /** The Redis of the locks, instead of this machine. */
  redis: RedisConfig | undefined
  logLevel: string
  trustProxy: boolean | string[]
}

/** `undefined`: as in the AWS CLI. */
export interface S3Config {
  bucket: string
  endpoint: string | undefined
  region: string | undefined
  prefix: string
  pathStyle: boolean
  /** In bytes. */
  segmentSize: number
  /** In bytes. */
  memory: number
}

export interface RedisConfig {
  url: string
  prefix: string
  /** In ms. */
  ttl: number
}

/** Environment variables, such as `process.env`. */
export type Environment = Record<string, string | undefined>

type Checked = { [Name in SettingName]: (typeof settings)[Name]['schema']['type'] extends 'integer' ? number : string }

const names = Object.keys(settings) as SettingName[]

/**
 * Reads the settings and checks them. An empty variable counts as unset.
 * @throws StartError with one line that names the wrong variable and the expected value
 */
export function readConfig (env: Environment = process.env): Config {
  const given = Object.fromEntries(names.flatMap(name => {
    const value = env[name]?.trim()
    return value ? [[name, value]] : []
  }))
  const checked = check(given)
  return {
    host: checked.HOST,
    allowedHosts: checked.ALLOWED_HOSTS.split(',').map((name) => name.trim()).filter(Boolean),
    port: checked.PORT,
    prefix: checked.PREFIX.replace(/\/$/, ''),
    directory: checked.FILES_DIR,
    workers: checked.WORKERS === 'auto' ? availableParallelism() : Number(checked.WORKERS),
    maxSize: checked.MAX_SIZE,
    expiration: checked.EXPIRATION_MS,
    sweepInterval: checked.SWEEP_INTERVAL_MS,
    s3: s3ConfigOf(checked),
    redis: checked.REDIS_URL === ''
      ? undefined
      : { url: checked.REDIS_URL, prefix: checked.REDIS_PREFIX, ttl: checked.LOCK_TTL_MS },
    logLevel: checked.LOG_LEVEL,
    trustProxy: parseTrustProxy(checked.TRUST_PROXY)
  }
}

function s3ConfigOf (checked: Checked): S3Config | undefined {
  if (checked.S3_BUCKET === '') return undefined
  const { S3_ENDPOINT: endpoint, S3_REGION: region, S3_PATH_STYLE: pathStyle } = checked
  return {
    bucket: checked.S3_BUCKET,
    endpoint: endpoint || undefined,
    // Another server than that of AWS needs a region for its signatures, whichever it is.
    region: region || (endpoint === '' ? undefined : 'us-east-1'),
    prefix: checked.S3_PREFIX,
    pathStyle: pathStyle === '' ? endpoint !== '' : pathStyle === 'true',
    segmentSize: checked.S3_SEGMENT_SIZE,
    memory: checked.S3_MEMORY
  }
}

function check (given: Record<string, string>): Checked {
  // The schema alone would accept 1e3 and 0x10 as integers.
  const data = Object.fromEntries(Object.entries(given).map(([name, value]) => {
    const isAccepted = settings[name as SettingName].schema.type === 'string' || /^-?\d+$/.test(value)
    return [name, isAccepted ? value : 'NaN']
  }))
  const properties = Object.fromEntries(names.map(name => [name, settings[name].schema]))
  try {
    return envSchema<Checked>({ schema: { type: 'object', properties }, data, env: false })
  } catch (error) {
    const { errors } = error as { errors: { instancePath: string }[] }
    const wrong = new Set(errors.map(({ instancePath }) => instancePath.slice(1) as SettingName))
    throw new StartError([...wrong].map(name => complaint(name, given[name])).join('; '))
  }
}

function complaint (name: SettingName, value: string | undefined): string {
  const { flag, wanted }: Setting = settings[name]
  return `${name}${flag ? ` (--${flag})` : ''} must be ${wanted}, not ${JSON.stringify(value)}`
}

function parseTrustProxy (value: string): Config['trustProxy'] {
  if (value === 'true' || value === 'false') return value === 'true'
  // No number of hops: Fastify then trusts no proxy, because it cannot identify the nearest one.
  const networks = value.split(',').map(network => network.trim())
  if (!networks.every(isNetwork)) throw new StartError(complaint('TRUST_PROXY', value))
  return networks
}

// Checked here and not by Fastify, whose error would not name the variable.
function isNetwork (value: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(value)) return true
  const [, address = '', bits] = /^([^/]*)(?:\/(\d+))?$/.exec(value) ?? []
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address)] as number
  return longest > 0 && (bits === undefined || (Number(bits) > 0 && Number(bits) <= longest))
}
