/** Measures servers in turn: A B C, A B C … A temporary disturbance of the machine affects all of them. */
import type { Bench } from './bench.ts'
import type { LeftOut, Peer } from './peers.ts'
import type { Case, Figures, Metric, Row } from './figures.ts'
import { type ServerProcess, withServers } from './server-process.ts'

/** Thrown by a measurement if the server does not support the work. */
export class NotAble extends Error {}

/** A named measurement. */
export interface Contender {
  name: string
  measure: () => Promise<Figures>
}

/** The title and the metrics of a table. */
export interface Subject { title: string, metrics: Metric[] }

type Measure = (server: ServerProcess) => Promise<Figures>

/** Measures servers that keep running, after one warm-up round that compiles code and touches memory. */
export async function keptInTurns (
  bench: Bench, subject: Subject, servers: ServerProcess[], measure: Measure
): Promise<Case> {
  const contenders = servers.map((server) => ({ name: server.peer.name, measure: async () => await measure(server) }))
  return await inTurns(bench, subject, contenders, 1)
}

/** Measures servers that are restarted on an empty directory for each measurement. */
export async function freshInTurns (bench: Bench, subject: Subject, peers: Peer[], measure: Measure): Promise<Case> {
  return await inTurns(bench, subject, peers.map((peer) => ({
    name: peer.name,
    measure: async () => await withServers([peer], async ([server]) => await measure(server as ServerProcess))
  })))
}

/** Measures each contender in turn, once per round, after some warm-up rounds. */
export async function inTurns (
  { work, rounds, leftOut }: Bench, { title, metrics }: Subject, contenders: Contender[], warmUps = 0
): Promise<Case> {
  const rows: Row[] = contenders.map(({ name }) => ({ server: name, rounds: [] }))
  const unable: LeftOut[] = []
  for (let round = 1 - warmUps; round <= rounds; round++) {
    for (const [i, { name, measure }] of contenders.entries()) {
      if (unable.some((out) => out.name === name)) continue
      process.stderr.write(`${work}: ${title}: ${round < 1 ? 'warm-up' : `round ${round} of ${rounds}`}, ${name}\n`)
      try {
        const figures = await measure()
        if (round > 0) rows[i]?.rounds.push(figures)
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
