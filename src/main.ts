import cluster from 'node:cluster'
import { createRequire } from 'node:module'
import { readConfig } from './config.ts'
import type { Environment } from './config.ts'
import { StartError } from './errors.ts'
import { terminalLog } from './terminal-log.ts'
import { parseCommandLine, usage } from './usage.ts'
import { report, reportFailure } from './worker.ts'
import { startServer } from './workers.ts'
import type { CommandLine } from './usage.ts'

/** The parts of the process that the command needs. */
export interface Host {
  env: Environment
  stdout: NodeJS.WritableStream & { isTTY?: boolean }
  stderr: { write (text: string): unknown }
}

/**
 * The command `fastify-tus`: starts the server, checks a server, or prints the requested text.
 * @returns the exit code if nothing else keeps the process alive
 */
export async function main (args: string[], { env, stdout, stderr }: Host, start = startServer): Promise<number> {
  if (args[0] === 'conformance') {
    // Loaded only here: the server does not need it.
    const { main: conformance } = await import('../conformance/cli.ts')
    return conformance(args.slice(1), { stdout, stderr })
  }

  const complain = (error: unknown, exitCode: number) => {
    if (!(error instanceof StartError)) throw error
    stderr.write(`fastify-tus: ${error.message}\n`)
    return exitCode
  }

  let commandLine: CommandLine
  try {
    commandLine = parseCommandLine(args)
  } catch (error) {
    return complain(error, 2)
  }

  if (commandLine.help) {
    stdout.write(usage())
    return 0
  }
  if (commandLine.version) {
    // By the name of the package: the relative path differs between src/ and dist/src/.
    const { version } = createRequire(import.meta.url)('fastify-tus/package.json') as { version: string }
    stdout.write(`${version}\n`)
    return 0
  }

  try {
    // If the terminal is closed, the log ends, but the server does not.
    stdout.on('error', () => {})
    const log = stdout.isTTY ? terminalLog(stdout, env['NO_COLOR'] === undefined) : { stream: stdout }
    const all = { ...env, ...commandLine.env }
    const config = readConfig(all)
    const { endpoint, page } = await start(config, log, all)
    if (cluster.isWorker) report({ endpoint, page })
    else if (stdout.isTTY) stdout.write(`\nOpen ${page}, or upload to ${endpoint} with any tus client.\n\n`)
    return 0
  } catch (error) {
    if (cluster.isWorker && error instanceof StartError) {
      reportFailure(error)
      return 1
    }
    return complain(error, 1)
  }
}
