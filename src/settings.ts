/** One setting of the server. */
export interface Setting {
  /** Its flag on the command line, without the dashes; the flag wins over the variable. */
  flag?: string
  /** How its value is written in the help. */
  value: string
  /** What it is for. */
  help: string
  /** What a value must be, as the end of "PORT must be …". */
  wanted: string
  /** The JSON Schema of the value. */
  schema: { type: 'string' | 'integer', default: string | number, [keyword: string]: unknown }
}

// The longest delay of a timer in Node: a longer one fires at once.
const longestTimer = 2 ** 31 - 1

const bytesOrMs = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const

// A name, or an IPv6 address, which has two colons at least.
const hostName = '([^\\s/,:[\\]]+|[\\da-fA-F]*(:[\\da-fA-F.]*){2,})'

/** Every setting by the name of its environment variable: the check, the defaults and the help are made from this. */
export const settings = {
  HOST: {
    flag: 'host',
    value: '<address>',
    help: 'where to listen; 0.0.0.0 is every IPv4 address of the machine',
    wanted: 'an address or a host name',
    schema: { type: 'string', default: '127.0.0.1', pattern: '^[^\\s/]+$' }
  },
  ALLOWED_HOSTS: {
    flag: 'allowed-hosts',
    value: '<names>',
    help: 'names by which clients reach the server, also through a proxy; * is any',
    wanted: 'host names and addresses without ports, with commas between, or *',
    schema: { type: 'string', default: '', pattern: `^(${hostName}(\\s*,\\s*${hostName})*)?$` }
  },
  PORT: {
    flag: 'port',
    value: '<number>',
    help: 'the port; 0 takes a free one',
    wanted: 'a whole number from 0 to 65535',
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
    help: 'where uploads are kept; made if missing',
    wanted: 'a directory',
    schema: { type: 'string', default: './files' }
  },
  MAX_SIZE: {
    flag: 'max-size',
    value: '<bytes>',
    help: 'the largest upload to accept; 0 is no limit',
    wanted: 'a whole number of bytes, 0 or more',
    schema: { ...bytesOrMs, default: 0 }
  },
  EXPIRATION_MS: {
    flag: 'expiration',
    value: '<ms>',
    help: 'how long an unfinished upload is kept after its last byte; 0 is for ever',
    wanted: 'a whole number of milliseconds, 0 or more',
    schema: { ...bytesOrMs, default: 24 * 60 * 60 * 1000 }
  },
  SWEEP_INTERVAL_MS: {
    value: '<ms>',
    help: 'how often expired uploads are looked for; 0 is at the start only',
    wanted: `a whole number of milliseconds from 0 to ${longestTimer}`,
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
    help: 'whose X-Forwarded-* headers count: true, false, or addresses (10.0.0.0/8,::1)',
    wanted: 'true, false, or addresses and networks with commas between',
    schema: { type: 'string', default: 'false' }
  }
} satisfies Record<string, Setting>

/** The environment variables that the server reads. */
export type SettingName = keyof typeof settings
