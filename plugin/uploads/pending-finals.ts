import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Upload } from '../types.ts'
import { partsOf } from './state.ts'

/** Completes one final upload, if its parts allow. */
type Complete = (request: FastifyRequest | null, id: string) => Promise<void>

/**
 * Which final uploads wait for which parts. Known to this process only and filled again by the sweep at its start; HEAD
 * of a final upload looks for itself.
 */
export class PendingFinals {
  readonly #parts = new Map<string, string[]>()
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

  /** Notes a final upload that waits, and completes it if nothing is missing by now. */
  watch (final: Upload, request: FastifyRequest | null): void {
    this.#parts.set(final.id, partsOf(final))
    for (const part of partsOf(final)) {
      const finals = this.#byPart.get(part) ?? new Set()
      this.#byPart.set(part, finals.add(final.id))
    }
    this.#try(final.id, request)
  }

  /** A final upload that does not wait any more. */
  delete (id: string): void {
    for (const part of this.#parts.get(id) ?? []) {
      const finals = this.#byPart.get(part)
      finals?.delete(id)
      if (finals?.size === 0) this.#byPart.delete(part)
    }
    this.#parts.delete(id)
  }

  /** Completes what waited for this part. */
  partFinished (part: string, request: FastifyRequest): void {
    for (const id of this.#byPart.get(part) ?? []) this.#try(id, request)
  }

  /** Resolves when nothing is being completed. */
  async settled (): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Completes a final upload, if its parts allow, behind the back of the request that may have made it possible. */
  #try (id: string, request: FastifyRequest | null): void {
    const completing = this.#complete(request, id)
      .catch((err: unknown) => this.#log.error({ err, uploadId: id }, 'final upload not completed'))
      .finally(() => this.#running.delete(completing))
    this.#running.add(completing)
  }
}
