import { append } from './append.ts'
import { cancellation } from './cancellation.ts'
import { concurrency } from './concurrency.ts'
import { creation } from './creation.ts'
import { fieldRules } from './field-rules.ts'
import { interim } from './interim.ts'
import { length } from './length.ts'
import { limits } from './limit-rules.ts'
import { retrieval } from './retrieval.ts'
import { interopVersions } from './interop-versions.ts'
import type { Requirement } from '../suite.ts'

/**
 * Every requirement of Resumable Uploads for HTTP that a client can observe. Sections are those of
 * draft-ietf-httpbis-resumable-upload-12. `not-on-the-wire.ts` lists the others.
 */
export const resumableUpload: Requirement[] = [
  ...fieldRules,
  ...limits,
  ...creation,
  ...interim,
  ...retrieval,
  ...append,
  ...length,
  ...cancellation,
  ...concurrency,
  ...interopVersions
]
