import type { Bucket } from '../bucket/bucket.ts'
import { segmentKey } from '../bucket/keys.ts'
import type { Segment, State } from '../states/state.ts'
import type { States } from '../states/states.ts'

/**
 * Deletes objects that no upload needs any more, in the background. If that fails, or the process ends, the sweep finds
 * them later.
 */
export class Garbage {
  readonly #bucket: Bucket
  readonly #running = new Set<Promise<void>>()

  constructor (bucket: Bucket) {
    this.#bucket = bucket
  }

  delete (keys: string[]): void {
    if (keys.length > 0) this.#run(() => this.#bucket.deleteAll(keys))
  }

  /** Deletes segments unless the state, which is the current one, names them. */
  deleteSegments (state: Pick<State, 'upload' | 'segments'>, segments: Segment[]): void {
    this.delete(unnamedBy(state, segments))
  }

  /** Deletes segments unless the current state names them: another process may have built on a lost commit. */
  deleteUnnamed (states: States, id: string, segments: Segment[]): void {
    this.#run(async () => {
      const state = await states.read(id)
      await this.#bucket.deleteAll(unnamedBy(state ?? { upload: { id }, segments: [] }, segments))
    })
  }

  /** Resolves once no deletion is under way. */
  async settled (): Promise<void> {
    await Promise.all(this.#running)
  }

  #run (deletion: () => Promise<void>): void {
    const running = deletion().catch(() => {}).finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }
}

function unnamedBy (
  { upload: { id }, segments: named }: { upload: { id: string }, segments: Segment[] }, segments: Segment[]
): string[] {
  const names = new Set(named.map(({ name }) => name))
  return segments.filter(({ name }) => !names.has(name)).map(({ name }) => segmentKey(id, name))
}
