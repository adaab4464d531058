import { checksum } from './checksum.ts'
import { checksumTrailer } from './checksum-trailer.ts'
import { concatenation } from './concatenation.ts'
import { core } from './core.ts'
import { cors } from './cors.ts'
import { creation } from './creation.ts'
import { creationWithUpload } from './creation-with-upload.ts'
import { deferLength } from './defer-length.ts'
import { download } from './download.ts'
import { earlyRefusals } from './early-refusals.ts'
import { expiration } from './expiration.ts'
import { head } from './head.ts'
import { hostileBodies } from './hostile-bodies.ts'
import { hostileConcatenation } from './hostile-concatenation.ts'
import { hostileHeaders } from './hostile-headers.ts'
import { hostileNumbers } from './hostile-numbers.ts'
import { hostilePaths } from './hostile-paths.ts'
import { hostileProxies } from './hostile-proxies.ts'
import { hostileState } from './hostile-state.ts'
import { locking } from './locking.ts'
import { patch } from './patch.ts'
import { termination } from './termination.ts'
import type { Requirement } from './suite.ts'
import type { Protocol } from './transport.ts'

/** Every requirement, in the order of the checklist. `not-on-the-wire.ts` lists the unobservable ones. */
export const requirements: Requirement[] = [
  ...core,
  ...head,
  ...patch,
  ...creation,
  ...deferLength,
  ...creationWithUpload,
  ...expiration,
  ...checksum,
  ...checksumTrailer,
  ...termination,
  ...concatenation,
  ...locking,
  ...cors,
  ...hostileNumbers,
  ...hostileHeaders,
  ...hostilePaths,
  ...hostileBodies,
  ...earlyRefusals,
  ...hostileState,
  ...hostileProxies,
  ...hostileConcatenation,
  ...download
]

/** The requirements that apply to a protocol. */
export function requirementsOver (protocol: Protocol, all = requirements): Requirement[] {
  return all.filter(({ only }) => only === undefined || only === protocol)
}
