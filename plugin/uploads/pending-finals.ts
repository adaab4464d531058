import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import { partsOf } from './find.ts'

/** Completes one final upload, if its parts allow. */
type Complete = (request: FastifyRequest | null, id: string) => Promise<void>

/**
 * Which final uploads wait for which parts. Known to this process only and filled again by the sweep at its start; HEAD
 * of a final upload looks for itself.
 */
export class PendingFinals {
  readonly #byPart = new Map<string, Set<string>>()
  readonly #running = new Set<Promise<void>>()
  readonly #complete: Complete
  readonly #log: FastifyBaseLogger

  constructor (complete: Complete, log: FastifyBaseLogger) {
    this.#complete = complete
    this.#log = log
  }

  /** Whether a final upload waits for this part. */
  waitFor (part: string): boolean {
    return this.#byPart.has(part)
  }

  add (final: Upload): void {
    for (const part of partsOf(final)) {
      const finals = this.#byPart.get(part) ?? new Set()
      this.#byPart.set(part, finals.add(final.id))
    }
  }

  /** A final upload that does not wait any more. */
  delete (final: Upload): void {
    for (const part of partsOf(final)) {
      const finals = this.#byPart.get(part)
      finals?.delete(final.id)
      if (finals?.size === 0) this.#byPart.delete(part)
    }
  }

  /** Completes what waited for this part. */
  partFinished (part: string, request: FastifyRequest): void {
    for (const id of this.#byPart.get(part) ?? []) this.complete(id, request)
  }

  /** Completes a final upload, if its parts allow, behind the back of the request that may have made it possible. */
  complete (id: string, request: FastifyRequest | null): void {
    const completing = this.#complete(request, id)
      .catch((err: unknown) => this.#log.error({ err, uploadId: id }, 'final upload not completed'))
      .finally(() => this.#running.delete(completing))
    this.#running.add(completing)
  }

  /** Resolves when nothing is being completed. */
  async settled (): Promise<void> {
    await Promise.all(this.#running)
  }
}
