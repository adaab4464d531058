import type { Requirement, Result } from './suite.ts'

/** What became of a requirement in the end. */
export interface Verdict {
  status: Result['status']
  /** Those that it rests on: the failures, or where there are none the answers, or else the skips. */
  results: Result[]
}

/** How many of a kind there are. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/**
 * What became of each requirement that was asked of a server in several configurations: it fails where it failed once,
 * and is skipped only where none answered.
 */
export class Tally {
  #results = new Map<Requirement, Result[]>()

  add (requirement: Requirement, result: Result): void {
    this.#results.set(requirement, [...this.#results.get(requirement) ?? [], result])
  }

  /** Undefined where it was asked of none. */
  verdict (requirement: Requirement): Verdict | undefined {
    const all = this.#results.get(requirement) ?? []
    for (const status of ['fail', 'pass', 'skip'] as const) {
      const results = all.filter(result => result.status === status)
      if (results.length > 0) return { status, results }
    }
    return undefined
  }

  get verdicts (): Verdict[] {
    return [...this.#results.keys()].map(requirement => this.verdict(requirement)!)
  }

  get totals (): Totals {
    return totalsOf(this.verdicts)
  }
}

export function totalsOf (verdicts: Array<Pick<Result, 'status'>>): Totals {
  const count = (status: Result['status']): number => verdicts.filter(verdict => verdict.status === status).length
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') }
}
