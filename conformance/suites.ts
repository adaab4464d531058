import { configurations, resumableUploadConfigurations } from './configurations.ts'
import { requirements } from './requirements.ts'
import { resumableUpload } from './resumable-upload/requirements.ts'
import type { Configuration } from './configurations.ts'
import type { Requirement, UploadProtocol } from './suite.ts'

/** What is checked for one protocol of uploads. */
export interface Checks {
  requirements: Requirement[]
  /** Those of our own server. */
  configurations: Configuration[]
}

export const suites: Record<UploadProtocol, Checks> = {
  tus: { requirements, configurations },
  'resumable-upload': { requirements: resumableUpload, configurations: resumableUploadConfigurations }
}
