import { parseArgs } from 'node:util'
import { StartError } from './errors.ts'
import { settings } from './settings.ts'
import type { Setting } from './settings.ts'

/** The parsed command line. */
export interface CommandLine {
  help: boolean
  version: boolean
  /** The variables that the flags set. */
  env: Record<string, string>
}

const flags = Object.entries<Setting>(settings).flatMap(([name, { flag }]) => flag ? [{ name, flag }] : [])

/**
 * Reads the arguments of the command line.
 * @throws StartError if a flag is unknown or lacks its value
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

/** Joins a negative number to the flag before it: `parseArgs` would parse it as another flag. */
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

Starts a server for resumable uploads (tus 1.0.0) with an upload page, or checks a
tus server: see fastify-tus conformance --help.

Each setting is an environment variable, shown with its default. A flag takes precedence:

${table.join('\n')}
  -h, --help
  -v, --version

Examples:

  fastify-tus
  fastify-tus --port 8080 --dir /var/lib/uploads --max-size 10737418240
  HOST=0.0.0.0 TRUST_PROXY=loopback LOG_LEVEL=warn fastify-tus
`
}
