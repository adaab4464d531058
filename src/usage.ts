import { parseArgs } from 'node:util'
import { StartError } from './errors.ts'
import { settings } from './settings.ts'
import type { Setting } from './settings.ts'

/** What the command line asks for. */
export interface CommandLine {
  help: boolean
  version: boolean
  /** The variables that flags stand for. */
  env: Record<string, string>
}

const flags = Object.entries<Setting>(settings).flatMap(([name, { flag }]) => flag ? [{ name, flag }] : [])

/**
 * Reads the arguments of the command line.
 * @throws StartError for a flag that does not exist, or lacks its value
 */
export function parseCommandLine (args: string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: withNegatives(args),
      options: {
        ...Object.fromEntries(flags.map(({ flag }) => [flag, { type: 'string' as const }])),
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' }
      }
    })
    const { help = false, version = false, ...rest } = values
    const given: Record<string, string> = rest
    const env = flags.flatMap(({ name, flag }) => flag in given ? [[name, given[flag]]] : [])
    return { help, version, env: Object.fromEntries(env) }
  } catch (error) {
    // parseArgs adds hints to its messages after the first sentence.
    const [first = ''] = (error as Error).message.split(/[\n.] ?/)
    throw new StartError(`${first}: see fastify-tus --help`, { cause: error })
  }
}

/** Ties a number below zero to the flag before it, where `parseArgs` would take it for a flag of its own. */
function withNegatives (args: string[]): string[] {
  const tied: string[] = []
  for (const arg of args) {
    const before = tied.at(-1) ?? ''
    if (/^-\d/.test(arg) && /^--[a-z-]+$/.test(before)) tied[tied.length - 1] = `${before}=${arg}`
    else tied.push(arg)
  }
  return tied
}

/** The text of `--help`. */
export function usage (): string {
  const table = Object.entries<Setting>(settings).map(([name, { flag, value, help, schema }]) => {
    const left = flag ? `--${flag} ${value}` : ''
    return `  ${left.padEnd(26)}${name}=${schema.default}\n      ${help}`
  })

  return `Usage: fastify-tus [flags]
       fastify-tus conformance [options] [URL]

A server for resumable uploads (tus 1.0.0), with a page to try it in a browser;
or a check of such a server, which fastify-tus conformance --help tells about.

Every flag stands for an environment variable, here with its default, and wins over it:

${table.join('\n')}
  -h, --help
  -v, --version

Examples:

  fastify-tus
  fastify-tus --port 8080 --dir /var/lib/uploads --max-size 10737418240
  HOST=0.0.0.0 TRUST_PROXY=loopback LOG_LEVEL=warn fastify-tus
`
}
