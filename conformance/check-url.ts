import { Http2Transport } from './h2.ts'
import { renderLeftOut, renderResult, renderTotals } from './report.ts'
import { requirementsOver } from './requirements.ts'
import { Suite } from './suite.ts'
import { suites } from './suites.ts'
import { totalsOf } from './tally.ts'
import { Http1Transport } from './wire.ts'
import type { CommandLine } from './command-line.ts'
import type { Result } from './suite.ts'

/** Checks the server at a URL, one requirement at a time. Resolves with the exit status. */
export async function checkUrl (url: URL, commandLine: CommandLine, print: (text: string) => void): Promise<number> {
  const { http2, options, wanted, json, verbose } = commandLine
  const transport = http2 ? new Http2Transport(url) : new Http1Transport(url)
  const suite = await Suite.open(url, transport, options)
  const { requirements } = suites[options.protocol ?? 'tus']
  const asked = requirementsOver(transport.protocol, requirements).filter(wanted)
  const results: Result[] = []
  for (const requirement of asked) {
    const result = await suite.run(requirement)
    results.push(result)
    if (!json) print(renderResult(result, verbose))
  }

  const totals = totalsOf(results)
  if (json) {
    print(`${JSON.stringify(results, null, 2)}\n`)
  } else {
    const leftOut = requirements.filter(wanted).length - asked.length
    print(`\n${leftOut === 0 ? '' : `${renderLeftOut(leftOut, transport.protocol)}\n`}${renderTotals(totals)}\n`)
  }
  return totals.failed > 0 ? 1 : 0
}
