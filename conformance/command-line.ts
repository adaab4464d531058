import { parseArgs } from 'node:util'
import { requirements } from './requirements.ts'
import type { Requirement, SuiteOptions } from './suite.ts'

export const USAGE = `Usage: fastify-tus conformance [options] [URL]

Checks the tus 1.0.0 server whose creation URL is URL: it creates uploads there, and deletes them if it can.
Without a URL it starts servers of its own and checks fastify-tus itself, over HTTP/1.1 and HTTP/2, with and
without TLS, in all the configurations that the requirements are about.

  --json                  print the results as JSON
  --verbose               print what was sent and what came for what passed, too
  --only ID,ID            check only these requirements; CORE stands for all of CORE-01, CORE-02 …
  --timeout MS            how long any answer may take; 10000 if not given
  -h, --help

With a URL:

  --strict                accept only what fastify-tus answers, where the protocol leaves a choice
  --http2                 speak HTTP/2
  --header 'Name: value'  send this header with every request; may be repeated
  --expires-within MS     after how long unfinished uploads of this server expire
  --sweeps-every MS       how often this server deletes what has expired
  --idle-timeout MS       after how long without a byte this server gives a body up

A check is skipped, with the reason, where the server does not offer what it is about (an extension, a
maximum, downloads), or where the protocol leaves it to the server and --strict is not given. A skip is no
failure.

Exit status: 0 when nothing failed, 1 when something failed, 2 when it could not be run.
`

/** What the command line asks for. */
export interface CommandLine {
  help: boolean
  /** The server to check; our own, if not given. */
  url: URL | undefined
  http2: boolean
  options: SuiteOptions
  json: boolean
  verbose: boolean
  wanted: (requirement: Requirement) => boolean
}

/** Reads the arguments of the command line. Throws what is wrong with them. */
export function parseCommandLine (args: string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      timeout: { type: 'string' },
      strict: { type: 'boolean' },
      http2: { type: 'boolean' },
      header: { type: 'string', multiple: true },
      'expires-within': { type: 'string' },
      'sweeps-every': { type: 'string' },
      'idle-timeout': { type: 'string' }
    }
  })
  const [address] = positionals
  if (positionals.length > 1) throw new Error('There can be only one URL')
  if (address === undefined) {
    const { help, json, verbose, only, timeout, ...ofServers } = values
    const [name] = Object.keys(ofServers)
    if (name !== undefined) throw new Error(`--${name} needs a URL`)
  }
  return {
    help: values.help,
    url: address === undefined ? undefined : parseUrl(address),
    http2: values.http2 ?? false,
    options: {
      strict: values.strict,
      headers: Object.fromEntries((values.header ?? []).map(parseHeader)),
      timeout: milliseconds('timeout', values.timeout),
      expiresWithin: milliseconds('expires-within', values['expires-within']),
      sweepsEvery: milliseconds('sweeps-every', values['sweeps-every']),
      idleTimeout: milliseconds('idle-timeout', values['idle-timeout'])
    },
    json: values.json,
    verbose: values.verbose,
    wanted: parseOnly(values.only)
  }
}

function parseUrl (address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error(`Not a URL of http or https: ${address}`)
  return url
}

function parseHeader (line: string): [name: string, value: string] {
  const [name, ...value] = line.split(':')
  if (!name || value.length === 0) throw new Error(`Not a header: ${line}`)
  return [name.trim(), value.join(':').trim()]
}

function parseOnly (list: string): CommandLine['wanted'] {
  const ids = list.split(',').map(id => id.trim().toUpperCase()).filter(id => id !== '')
  const isOf = (id: string) => (requirement: Requirement) => requirement.id === id || requirement.id.startsWith(`${id}-`)
  for (const id of ids) {
    if (!requirements.some(isOf(id))) throw new Error(`No requirement ${id}`)
  }
  return ids.length === 0 ? () => true : requirement => ids.some(id => isOf(id)(requirement))
}

function milliseconds (name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a number of milliseconds`)
  return Number(value)
}
