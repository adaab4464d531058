/** The stored part and the duration of a file. */
export interface Extent {
  offset: number
  length: number
  /** In seconds. */
  duration: number
}

// A safety margin, because a player reads ahead and the bit rate varies.
const margin = 3

/** The time up to which it can safely be played, in seconds. Estimated with a constant bit rate. */
export function playableUntil ({ offset, length, duration }: Extent): number {
  if (offset >= length) return duration
  return Math.max(duration * offset / length - margin, 0)
}

/** Whether a time may not be stored yet. */
export function isBeyond (time: number, extent: Extent): boolean {
  return extent.offset < extent.length && time > extent.duration * extent.offset / extent.length
}
