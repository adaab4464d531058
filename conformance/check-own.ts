import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wires } from './configurations.ts'
import { askOurselves } from './own.ts'
import { renderLeftOut, renderResult, renderTotals } from './report.ts'
import { requirementsOver } from './requirements.ts'
import { suites } from './suites.ts'
import { Tally, totalsOf } from './tally.ts'
import type { CommandLine } from './command-line.ts'
import type { Wire } from './configurations.ts'
import type { Result } from './suite.ts'

/** The origin of a result. */
interface Origin {
  over: string
  configuration: string
}

/** Checks fastify-tus over every wire and in every configuration. Resolves with the exit status. */
export async function checkOwn (commandLine: CommandLine, print: (text: string) => void): Promise<number> {
  const { json } = commandLine
  const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-conformance-'))
  const all = new Tally()
  const results: Array<Origin & Result> = []
  try {
    for (const wire of wires) {
      results.push(...await checkWire(wire, join(directory, wire.name.replace(/\W/g, '')), commandLine, all, print))
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  print(json ? `${JSON.stringify(results, null, 2)}\n` : `All: ${renderTotals(all.totals)}\n`)
  return all.totals.failed > 0 ? 1 : 0
}

/** Checks it over one wire and adds the results to `all`. */
async function checkWire (
  wire: Wire, directory: string, commandLine: CommandLine, all: Tally, print: (text: string) => void
): Promise<Array<Origin & Result>> {
  const { wanted, options, json, verbose } = commandLine
  const tell = (text: string): void => { if (!json) print(text) }
  const results: Array<Origin & Result> = []
  const tally = new Tally()
  const { runs, close } = await askOurselves(wire, directory, wanted, options)
  tell(`${wire.name}\n`)
  for (const { configuration: { name }, asked, results: running } of runs) {
    const ofRun = await Promise.all(running)
    for (const [i, result] of ofRun.entries()) {
      tally.add(asked[i]!, result)
      all.add(asked[i]!, result)
      results.push({ over: wire.name, configuration: name, ...result })
      if (verbose || result.status === 'fail') tell(renderResult(result, verbose))
    }
    if (ofRun.length > 0) tell(`  ${name}: ${renderTotals(totalsOf(ofRun))}\n`)
  }
  await close()

  for (const verdict of tally.verdicts) {
    if (verdict.status === 'skip') tell(renderResult(verdict.results[0]!, verbose))
  }
  const { requirements } = suites[options.protocol ?? 'tus']
  const asked = requirementsOver(wire.protocol, requirements).filter(wanted)
  const leftOut = requirements.filter(wanted).length - asked.length
  tell(`  combined: ${renderTotals(tally.totals)}\n`)
  tell(leftOut === 0 ? '\n' : `  ${renderLeftOut(leftOut, wire.protocol)}\n\n`)
  return results
}
