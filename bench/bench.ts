import type { LeftOut, Peer } from './peers.ts'
import type { Case } from './figures.ts'

/** One run of the benchmark, as passed to its works. */
export interface Bench {
  /** The id of the current work. */
  work: string
  rounds: number
  /** Fewer and smaller requests: a check that the benchmark works, with rough figures. */
  quick: boolean
  /** Also a sweep over a million uploads. */
  large: boolean
  peers: Peer[]
  leftOut: LeftOut[]
}

/** A work to measure, such as an upload. */
export interface Work {
  id: string
  /** Whether it needs the servers that `npm run engines` gets. */
  needsEngines?: boolean
  run: (bench: Bench) => Promise<Case[]>
}
