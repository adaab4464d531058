import { programOf, reasonWithout } from '../../src/demo/engines/programs.ts'
import type { EngineName } from '../../src/demo/engines/programs.ts'

/**
 * The reason to skip tests that need an engine; `false` if it is installed.
 * @throws if it is missing, and `FASTIFY_TUS_ENGINES` is `required`
 */
export function skipWithout (engine: EngineName, env = process.env): string | false {
  if (programOf(engine, env) !== undefined) return false
  const reason = reasonWithout(engine)
  if (env.FASTIFY_TUS_ENGINES === 'required') throw new Error(reason)
  return reason
}
