import type { Requirement, Result, Suite } from './suite.ts'

/** Runs requirements, `atOnce` at a time. The results are in the order of the requirements. Never rejects. */
export function ask (suite: Suite, requirements: Requirement[], atOnce: number): Promise<Result>[] {
  const results: Promise<Result>[] = []
  for (const [i, requirement] of requirements.entries()) {
    results.push((results[i - atOnce] ?? Promise.resolve()).then(() => suite.run(requirement)))
  }
  return results
}
