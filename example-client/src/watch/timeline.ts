/** How much of a file is there, and how long it plays. */
export interface Extent {
  offset: number
  length: number
  /** In seconds. */
  duration: number
}

// A player reads ahead, and time and bytes do not go evenly: this far in front of the edge is still there, surely.
const margin = 3

/** The time up to which it can surely be played, in seconds: an estimate, as if each second had as many bytes. */
export function playableUntil ({ offset, length, duration }: Extent): number {
  if (offset >= length) return duration
  return Math.max(duration * offset / length - margin, 0)
}

/** Whether a time may not be there yet. */
export function isBeyond (time: number, extent: Extent): boolean {
  return extent.offset < extent.length && time > extent.duration * extent.offset / extent.length
}
