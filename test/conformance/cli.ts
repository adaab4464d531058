import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Http2Transport } from './h2.ts'
import { renderResult, renderSummary } from './report.ts'
import { requirements } from './requirements.ts'
import { Suite } from './suite.ts'
import { Http1Transport } from './wire.ts'
import type { Transport } from './transport.ts'
import type { Result, SuiteOptions } from './suite.ts'

const USAGE = `Usage: conformance [options] URL

Checks the tus 1.0.0 server whose creation URL is URL. It creates uploads there, and deletes them if it can.

  --json                 print the results as JSON
  --only ID,ID           check only these requirements; CORE stands for all of CORE-01, CORE-02 …
  --strict               accept only what fastify-tus answers, where the protocol leaves a choice
  --http2                speak HTTP/2
  --verbose              print what was sent and what came for what passed, too
  --header 'Name: value' send this header with every request; may be repeated
  --timeout MS           how long any answer may take; 10000 if not given
  --expires-within MS    after how long unfinished uploads of this server expire
  --sweeps-every MS      how often this server deletes what has expired
  --idle-timeout MS      after how long without a byte this server gives a body up

Exit status: 0 when nothing failed, 1 when something failed, 2 when it could not be run.
`

/** Where the report goes. */
export interface Output {
  write (text: string): unknown
}

interface Settings {
  url: URL
  transport: Transport
  options: SuiteOptions
  only: string[]
  json: boolean
  verbose: boolean
}

/** Runs the suite as told by command-line arguments, and resolves with the exit status. */
export async function main (argv: string[], stdout: Output): Promise<number> {
  let settings: Settings
  try {
    settings = parse(argv)
  } catch (error) {
    stdout.write(`${(error as Error).message}\n\n${USAGE}`)
    return 2
  }

  const { url, transport, options, only, json, verbose } = settings
  let suite: Suite
  try {
    suite = await Suite.open(url, transport, options)
  } catch (error) {
    stdout.write(`${(error as Error).message}\n`)
    return 2
  }

  const results: Result[] = []
  for (const requirement of requirements) {
    if (only.length > 0 && !only.some(id => matches(requirement.id, id))) continue
    const result = await suite.run(requirement)
    results.push(result)
    if (!json) stdout.write(renderResult(result, verbose))
  }
  stdout.write(json ? `${JSON.stringify(results, null, 2)}\n` : renderSummary(results))
  return results.some(({ status }) => status === 'fail') ? 1 : 0
}

function parse (argv: string[]): Settings {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      strict: { type: 'boolean', default: false },
      http2: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      header: { type: 'string', multiple: true, default: [] },
      timeout: { type: 'string' },
      'expires-within': { type: 'string' },
      'sweeps-every': { type: 'string' },
      'idle-timeout': { type: 'string' }
    }
  })
  const [address] = positionals
  if (address === undefined || positionals.length > 1) throw new Error('One URL is needed')
  const url = new URL(address)
  if (!['http:', 'https:'].includes(url.protocol)) throw new Error('The URL must be one of http or https')

  const options: SuiteOptions = {
    strict: values.strict,
    headers: Object.fromEntries(values.header.map(line => {
      const [name, ...value] = line.split(':')
      if (!name || value.length === 0) throw new Error(`Not a header: ${line}`)
      return [name.trim(), value.join(':').trim()]
    })),
    timeout: milliseconds('timeout', values.timeout),
    expiresWithin: milliseconds('expires-within', values['expires-within']),
    sweepsEvery: milliseconds('sweeps-every', values['sweeps-every']),
    idleTimeout: milliseconds('idle-timeout', values['idle-timeout'])
  }
  const only = values.only.split(',').map(id => id.trim().toUpperCase()).filter(id => id !== '')
  for (const id of only) {
    if (!requirements.some(requirement => matches(requirement.id, id))) throw new Error(`No requirement ${id}`)
  }
  const transport = values.http2 ? new Http2Transport(url) : new Http1Transport(url)
  return { url, transport, options, only, json: values.json, verbose: values.verbose }
}

function matches (id: string, wanted: string): boolean {
  return id === wanted || id.startsWith(`${wanted}-`)
}

function milliseconds (name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a number of milliseconds`)
  return Number(value)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2), process.stdout)
}
