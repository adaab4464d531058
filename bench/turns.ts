/** Servers in turns: A B C, A B C … What disturbs the machine for a while disturbs them all. */
import type { Bench } from './bench.ts'
import type { LeftOut, Peer } from './peers.ts'
import type { Case, Figures, Metric, Row } from './results.ts'
import { type ServerProcess, withServer } from './server-process.ts'

/** Thrown by a measurement: this server does not do what is measured. */
export class NotAble extends Error {}

/** Anything that can be measured, with a name. */
export interface Contender {
  name: string
  measure: () => Promise<Figures>
}

/** Measures each in turn, as often as there are rounds. */
export async function inTurns (
  { work, rounds, leftOut }: Bench, title: string, metrics: Metric[], contenders: Contender[]
): Promise<Case> {
  const rows: Row[] = contenders.map(({ name }) => ({ server: name, rounds: [] }))
  const unable: LeftOut[] = []
  for (let round = 0; round < rounds; round++) {
    for (const [i, { name, measure }] of contenders.entries()) {
      if (unable.some((out) => out.name === name)) continue
      process.stderr.write(`${work}: ${title}: round ${round + 1} of ${rounds}, ${name}\n`)
      try {
        rows[i]?.rounds.push(await measure())
      } catch (error) {
        if (error instanceof NotAble) unable.push({ name, why: error.message })
        else throw new Error(`${work}: ${title}, ${name}: ${(error as Error).message}`, { cause: error })
      }
    }
  }
  return {
    work,
    title: `${work}: ${title}`,
    date: new Date().toISOString().slice(0, 10),
    metrics,
    rows: rows.filter(({ rounds }) => rounds.length > 0),
    leftOut: [...leftOut, ...unable]
  }
}

/** A server that is started anew, on an empty directory, for each round. */
export function fresh (peer: Peer, measure: (server: ServerProcess) => Promise<Figures>): Contender {
  return { name: peer.name, measure: async () => await withServer(peer, measure) }
}
