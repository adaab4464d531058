import { checkOwn } from './check-own.ts'
import { checkUrl } from './check-url.ts'
import { parseCommandLine, USAGE } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { visible } from './visible.ts'

/** The streams for reports and errors. */
export interface Output {
  stdout: { write (text: string): unknown }
  stderr: { write (text: string): unknown }
}

/** The command `fastify-tus conformance`. Resolves with the exit status. */
export async function main (args: string[], { stdout, stderr }: Output): Promise<number> {
  const print = (text: string): void => { stdout.write(visible(text)) }
  const complain = (text: string): void => { stderr.write(visible(`fastify-tus conformance: ${text}\n`)) }
  let commandLine: CommandLine
  try {
    commandLine = parseCommandLine(args)
  } catch (error) {
    complain(`${(error as Error).message}\n\n${USAGE.trimEnd()}`)
    return 2
  }

  if (commandLine.help) {
    print(USAGE)
    return 0
  }
  try {
    const { url } = commandLine
    return await (url === undefined ? checkOwn(commandLine, print) : checkUrl(url, commandLine, print))
  } catch (error) {
    complain((error as Error).message)
    return 2
  }
}
