import type { Picked } from './intake.ts'

/** Files that are not in the list yet, and their bytes. */
export interface Left {
  count: number
  size: number
}

/** Counts the chosen files that are not in the list yet. */
export class PendingFiles {
  readonly #onChange: () => void
  // One entry per selection, until all of its files are in the list.
  readonly #lefts = new Set<Left>()

  constructor (onChange: () => void) {
    this.#onChange = onChange
  }

  begin (): Left {
    const left: Left = { count: 0, size: 0 }
    this.#lefts.add(left)
    return left
  }

  end (left: Left): void {
    this.#lefts.delete(left)
    this.#onChange()
  }

  clear (): void {
    this.#lefts.clear()
  }

  count (left: Left, picked: readonly Picked[], sign: 1 | -1): void {
    for (const { file } of picked) {
      left.count += sign
      left.size += sign * file.size
    }
    this.#onChange()
  }

  /** The sum; `null` if all chosen files are in the list. */
  get total (): Left | null {
    if (this.#lefts.size === 0) return null
    const sum = (key: keyof Left) => Array.from(this.#lefts).reduce((total, left) => total + left[key], 0)
    return { count: sum('count'), size: sum('size') }
  }
}
