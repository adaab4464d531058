import type { Requirement, Result, Suite } from './suite.ts'

/** Asks for requirements, so many at once. The results are in their order, and none rejects. */
export function ask (suite: Suite, requirements: Requirement[], atOnce: number): Promise<Result>[] {
  const results: Promise<Result>[] = []
  for (const [i, requirement] of requirements.entries()) {
    results.push((results[i - atOnce] ?? Promise.resolve()).then(() => suite.run(requirement)))
  }
  return results
}
