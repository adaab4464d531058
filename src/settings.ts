/** One setting of the server. */
export interface Setting {
  /** Its command-line flag, without the dashes; the flag takes precedence over the variable. */
  flag?: string
  /** The placeholder of its value in the help. */
  value: string
  /** Its description in the help. */
  help: string
  /** The expected value, as the end of "PORT must be …". */
  wanted: string
  /** The JSON Schema of the value. */
  schema: { type: 'string' | 'integer', default: string | number, [keyword: string]: unknown }
}

// The longest delay of a timer of Node.js: with a longer one, the timer fires immediately.
const longestTimer = 2 ** 31 - 1

const bytesOrMs = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const

// A name, or an IPv6 address, which has at least two colons.
const hostName = '([^\\s/,:[\\]]+|[\\da-fA-F]*(:[\\da-fA-F.]*){2,})'

/** Every setting by the name of its environment variable: the check, the defaults and the help are derived from it. */
export const settings = {
  HOST: {
    flag: 'host',
    value: '<address>',
    help: 'the address to listen on; 0.0.0.0: every IPv4 address of the machine',
    wanted: 'an address or a host name',
    schema: { type: 'string', default: '127.0.0.1', pattern: '^[^\\s/]+$' }
  },
  ALLOWED_HOSTS: {
    flag: 'allowed-hosts',
    value: '<names>',
    help: 'names under which clients reach the server, separated by commas; *: any name',
    wanted: 'host names and addresses without ports, separated by commas, or *',
    schema: { type: 'string', default: '', pattern: `^(${hostName}(\\s*,\\s*${hostName})*)?$` }
  },
  PORT: {
    flag: 'port',
    value: '<number>',
    help: 'the port; 0: a free one',
    wanted: 'an integer from 0 to 65535',
    schema: { type: 'integer', default: 1080, minimum: 0, maximum: 65535 }
  },
  PREFIX: {
    flag: 'prefix',
    value: '<path>',
    help: 'the path of the uploads',
    wanted: 'a path such as /files: a slash, then letters, digits, ".", "_", "~" or "-"',
    schema: { type: 'string', default: '/files', pattern: '^(/[\\w~-][\\w.~-]*)+/?$' }
  },
  FILES_DIR: {
    flag: 'dir',
    value: '<directory>',
    help: 'the directory of the uploads; created if missing',
    wanted: 'a directory',
    schema: { type: 'string', default: './files' }
  },
  WORKERS: {
    flag: 'workers',
    value: '<n|auto>',
    help: 'how many processes share the port and the directory; auto: one for each CPU',
    wanted: 'an integer from 1 to 1024, or auto',
    schema: { type: 'string', default: '1', pattern: '^(auto|[1-9]\\d{0,2}|10([01]\\d|2[0-4]))$' }
  },
  S3_BUCKET: {
    flag: 's3-bucket',
    value: '<name>',
    help: 'the bucket of the uploads, instead of a directory; needs @aws-sdk/client-s3',
    wanted: 'the name of a bucket: 3 to 63 lower-case letters, digits, "." or "-"',
    schema: { type: 'string', default: '', pattern: '^([a-z\\d][a-z\\d.-]{1,61}[a-z\\d])?$' }
  },
  S3_ENDPOINT: {
    flag: 's3-endpoint',
    value: '<url>',
    help: 'the S3 server; empty: that of AWS',
    wanted: 'a URL such as http://127.0.0.1:9000',
    schema: { type: 'string', default: '', pattern: '^(https?://[^\\s/?#]+/?)?$' }
  },
  S3_REGION: {
    flag: 's3-region',
    value: '<region>',
    help: 'the region of the bucket; empty: as in the AWS CLI, or us-east-1 with an endpoint',
    wanted: 'a region such as eu-central-1',
    schema: { type: 'string', default: '', pattern: '^[\\w-]*$' }
  },
  S3_PREFIX: {
    flag: 's3-prefix',
    value: '<text>',
    help: 'in front of the name of every object, such as uploads/',
    wanted: 'a text that does not begin with a slash',
    schema: { type: 'string', default: '', pattern: '^(?!/)\\S*$' }
  },
  S3_PATH_STYLE: {
    value: '<true|false>',
    help: 'the bucket in the path, not in the host name; empty: true with an endpoint',
    wanted: 'true or false',
    schema: { type: 'string', default: '', pattern: '^(true|false)?$' }
  },
  S3_SEGMENT_SIZE: {
    value: '<bytes>',
    help: 'how many bytes one request stores; large uploads take more',
    wanted: 'an integer of at least 5242880 (bytes)',
    schema: { ...bytesOrMs, default: 8 * 1024 * 1024, minimum: 5 * 1024 * 1024 }
  },
  S3_MEMORY: {
    value: '<bytes>',
    help: 'how many bytes of all bodies are in memory until they are stored',
    wanted: 'an integer above 0 (bytes)',
    schema: { ...bytesOrMs, default: 256 * 1024 * 1024, minimum: 1 }
  },
  REDIS_URL: {
    flag: 'redis-url',
    value: '<url>',
    help: 'the Redis that holds the locks of all servers; needs the package ioredis',
    wanted: 'a URL such as redis://127.0.0.1:6379',
    schema: { type: 'string', default: '', pattern: '^(rediss?://[^\\s/?#]+(/\\d*)?)?$' }
  },
  REDIS_PREFIX: {
    value: '<text>',
    help: 'the beginning of all keys and channels in Redis',
    wanted: 'a text without spaces',
    schema: { type: 'string', default: 'fastify-tus:', pattern: '^\\S*$' }
  },
  LOCK_TTL_MS: {
    value: '<ms>',
    help: 'how long Redis keeps the locks of a server that has died, in ms',
    wanted: `an integer from 1000 to ${longestTimer} (ms)`,
    schema: { type: 'integer', default: 15_000, minimum: 1000, maximum: longestTimer }
  },
  MAX_SIZE: {
    flag: 'max-size',
    value: '<bytes>',
    help: 'the maximum size of an upload, in bytes; 0: no limit',
    wanted: 'an integer, 0 or above (bytes)',
    schema: { ...bytesOrMs, default: 0 }
  },
  EXPIRATION_MS: {
    flag: 'expiration',
    value: '<ms>',
    help: 'how long an unfinished upload is kept after its last byte, in ms; 0: forever',
    wanted: 'an integer, 0 or above (ms)',
    schema: { ...bytesOrMs, default: 24 * 60 * 60 * 1000 }
  },
  SWEEP_INTERVAL_MS: {
    value: '<ms>',
    help: 'the interval of sweeps, which delete expired uploads, in ms; 0: only at the start',
    wanted: `an integer from 0 to ${longestTimer} (ms)`,
    schema: { type: 'integer', default: 10 * 60 * 1000, minimum: 0, maximum: longestTimer }
  },
  LOG_LEVEL: {
    flag: 'log-level',
    value: '<level>',
    help: 'fatal, error, warn, info, debug, trace or silent',
    wanted: 'one of fatal, error, warn, info, debug, trace, silent',
    schema: {
      type: 'string',
      default: 'info',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
    }
  },
  TRUST_PROXY: {
    flag: 'trust-proxy',
    value: '<proxies>',
    help: 'the proxies whose X-Forwarded-* headers count, such as 10.0.0.0/8,::1; true: all',
    wanted: 'true, false, or addresses and networks separated by commas',
    schema: { type: 'string', default: 'false' }
  }
} satisfies Record<string, Setting>

/** The environment variables that the server reads. */
export type SettingName = keyof typeof settings
