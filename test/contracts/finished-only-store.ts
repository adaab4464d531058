import type { Readable } from 'node:stream'
import { MemoryStore } from '../../plugin/index.ts'
import type { Capability } from '../../plugin/index.ts'
import { isComplete } from '../../plugin/uploads/state.ts'

/** Reads complete uploads only, like `@tus/s3-store`, whose parts cannot be read before they are assembled. */
export class FinishedOnlyStore extends MemoryStore {
  override readonly capabilities: ReadonlySet<Capability> = new Set<Capability>([
    'creation', 'creation-with-upload', 'read', 'ranges', 'termination', 'deferred-length', 'updates', 'expiration'
  ])

  override async read (id: string, range?: { start: number, end: number }): Promise<Readable> {
    if (!isComplete(await this.getUpload(id))) throw new Error('The upload is not complete')
    return await super.read(id, range)
  }
}
