import type { Requirement, Result } from './suite.ts'

/** The final result of a requirement. */
export interface Verdict {
  status: Result['status']
  /** The deciding results: the failures if any, otherwise the passes, otherwise the skips. */
  results: Result[]
}

/** The number of verdicts by status. */
export interface Totals {
  passed: number
  failed: number
  skipped: number
}

/**
 * Collects the results of requirements over several configurations of a server. A requirement fails if it failed in any
 * of them, and is skipped only if it was skipped in all of them.
 */
export class Tally {
  #results = new Map<Requirement, Result[]>()

  add (requirement: Requirement, result: Result): void {
    this.#results.set(requirement, [...this.#results.get(requirement) ?? [], result])
  }

  /** Undefined if the requirement was never run. */
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
