import { parseArgs } from 'node:util'
import { uploadProtocols } from './suite.ts'
import { suites } from './suites.ts'
import type { Requirement, SuiteOptions, UploadProtocol } from './suite.ts'

export const USAGE = `Usage: fastify-tus conformance [options] [URL]

Checks the server with this creation URL, a tus 1.0.0 server by default. The suite creates uploads there, and
deletes them if the server supports it. Without a URL, the suite starts its own servers and checks fastify-tus
over HTTP/1.1 and HTTP/2, with and without TLS, in all the configurations that the requirements need.

  --protocol NAME         tus (default), or resumable-upload: Resumable Uploads for HTTP, a draft of the IETF
  --json                  print the results as JSON
  --verbose               print requests and responses of passed checks too
  --only ID,ID            run only these requirements; CORE selects CORE-01, CORE-02 …
  --timeout MS            time limit for each response (default: 10000)
  -h, --help              print this help

With a URL:

  --strict                if the protocol leaves a choice, accept only the behaviour of fastify-tus
  --http2                 use HTTP/2
  --header 'Name: value'  send this header with every request; may be repeated
  --expires-within MS     lifetime of unfinished uploads on this server
  --sweeps-every MS       interval at which this server deletes expired uploads
  --idle-timeout MS       how long this server waits for more bytes of a body

A check is skipped, with the reason, if the server does not offer the feature (an extension, a maximum size,
downloads), or if the protocol leaves it to the server and --strict is not set. A skip is not a failure.

Exit status: 0 if no check failed, 1 if a check failed, 2 if the suite could not run.
`

/** The parsed command line. */
export interface CommandLine {
  help: boolean
  /** The server to check. Default: our own. */
  url: URL | undefined
  http2: boolean
  options: SuiteOptions
  json: boolean
  verbose: boolean
  wanted: (requirement: Requirement) => boolean
}

/** Parses the arguments. Throws if they are invalid. */
export function parseCommandLine (args: string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      protocol: { type: 'string', default: 'tus' },
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
  if (positionals.length > 1) throw new Error('Only one URL is allowed')
  if (address === undefined) {
    const { help, protocol, json, verbose, only, timeout, ...ofServers } = values
    const [name] = Object.keys(ofServers)
    if (name !== undefined) throw new Error(`--${name} requires a URL`)
  }
  const protocol = parseProtocol(values.protocol)
  return {
    help: values.help,
    url: address === undefined ? undefined : parseUrl(address),
    http2: values.http2 ?? false,
    options: {
      protocol,
      strict: values.strict,
      headers: Object.fromEntries((values.header ?? []).map(parseHeader)),
      timeout: milliseconds('timeout', values.timeout),
      expiresWithin: milliseconds('expires-within', values['expires-within']),
      sweepsEvery: milliseconds('sweeps-every', values['sweeps-every']),
      idleTimeout: milliseconds('idle-timeout', values['idle-timeout'])
    },
    json: values.json,
    verbose: values.verbose,
    wanted: parseOnly(values.only, suites[protocol].requirements)
  }
}

function parseUrl (address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error(`Not an http or https URL: ${address}`)
  return url
}

function parseHeader (line: string): [name: string, value: string] {
  const [name, ...value] = line.split(':')
  if (!name || value.length === 0) throw new Error(`Invalid header, expected 'Name: value': ${line}`)
  return [name.trim(), value.join(':').trim()]
}

function parseProtocol (name: string): UploadProtocol {
  const protocol = uploadProtocols.find((known) => known === name)
  if (protocol === undefined) throw new Error(`--protocol must be one of ${uploadProtocols.join(', ')}`)
  return protocol
}

function parseOnly (list: string, requirements: Requirement[]): CommandLine['wanted'] {
  const ids = list.split(',').map(id => id.trim().toUpperCase()).filter(id => id !== '')
  const isOf = (id: string) => (requirement: Requirement) => requirement.id === id || requirement.id.startsWith(`${id}-`)
  for (const id of ids) {
    if (!requirements.some(isOf(id))) throw new Error(`Unknown requirement: ${id}`)
  }
  return ids.length === 0 ? () => true : requirement => ids.some(id => isOf(id)(requirement))
}

function milliseconds (name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a number of milliseconds`)
  return Number(value)
}
