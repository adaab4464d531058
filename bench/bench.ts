import type { LeftOut, Peer } from './peers.ts'
import type { Case } from './figures.ts'

/** One run of the benchmark, as its works see it. */
export interface Bench {
  /** The id of the work that is under way. */
  work: string
  rounds: number
  /** Fewer and smaller requests: to see whether it works, and roughly what comes out. */
  quick: boolean
  peers: Peer[]
  leftOut: LeftOut[]
}

/** Something that users wait for. */
export interface Work {
  id: string
  run: (bench: Bench) => Promise<Case[]>
}
