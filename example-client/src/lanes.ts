/**
 * A range of a file that is a separate upload on the server. A file has one lane, or several that are sent in parallel
 * and joined at the end.
 */
export interface Lane {
  /** Its start in the file, in bytes. */
  start: number
  end: number
  /** Bytes of the lane that the server has acknowledged, which are safe. */
  accepted: number
  /** Bytes of the lane that the browser has passed to the network, at least the accepted ones. */
  sent: number
  /** Whether a slice of it is in transit. */
  busy: boolean
  url: string | null
}

/** One square of the strip. Both shares are from 0 to 1, and `sent` is at least `accepted`. */
export interface Cell {
  accepted: number
  sent: number
  /** Whether a slice of it is in transit. */
  busy: boolean
}

/** The content of a strip of squares. */
export interface Strip {
  cells: Cell[]
  /** The number of slices per square. */
  slicesInCell: number
}

/** Divides a file of `size` bytes into at most `count` lanes, at slice boundaries. */
export function makeLanes (size: number, count: number, sliceSize: number): Lane[] {
  const slices = Math.max(Math.ceil(size / sliceSize), 1)
  const length = Math.ceil(slices / Math.min(count, slices)) * sliceSize
  const lanes: Lane[] = []
  let start = 0
  do {
    const end = Math.min(start + length, size)
    lanes.push({ start, end, accepted: 0, sent: 0, busy: false, url: null })
    start = end
  } while (start < size)
  return lanes
}

/** The sums over all lanes. */
export function sum (lanes: readonly Lane[], which: 'accepted' | 'sent'): number {
  return lanes.reduce((bytes, lane) => bytes + lane[which], 0)
}

/** Whether the server has the complete lane. */
export function isWhole (lane: Lane): boolean {
  // An empty file has an empty lane, which is complete after the server has created its upload.
  return lane.url !== null && lane.accepted === lane.end - lane.start
}

/** The squares of a file: one per slice, or one per several slices if there are more than `most`. */
export function makeStrip (lanes: readonly Lane[], sliceSize: number, most: number): Strip {
  const size = lanes.at(-1)?.end ?? 0
  const slicesInCell = Math.max(Math.ceil(Math.ceil(size / sliceSize) / most), 1)
  const width = sliceSize * slicesInCell
  const cells: Cell[] = []
  for (let start = 0; start < size; start += width) {
    const end = Math.min(start + width, size)
    const bytes = (which: 'accepted' | 'sent') =>
      lanes.reduce((bytes, lane) => bytes + overlap(start, end, lane.start, lane.start + lane[which]), 0)
    const busy = lanes.some(lane => {
      const head = lane.start + lane.accepted
      return lane.busy && head < end && Math.max(lane.start + lane.sent, head + 1) > start
    })
    cells.push({ accepted: bytes('accepted') / (end - start), sent: bytes('sent') / (end - start), busy })
  }
  return { cells, slicesInCell }
}

/** The number of slices by state. */
export function countSlices (
  lanes: readonly Lane[],
  sliceSize: number
): { count: number, accepted: number, sending: number } {
  const counts = { count: 0, accepted: 0, sending: 0 }
  for (const { start, end, accepted, sent, busy } of lanes) {
    // The last slice of a lane may be shorter.
    const round = (bytes: number) => bytes === end - start ? Math.ceil : Math.floor
    const whole = (bytes: number) => round(bytes)(bytes / sliceSize)
    counts.count += Math.ceil((end - start) / sliceSize)
    counts.accepted += whole(accepted)
    if (busy && accepted < end - start) {
      counts.sending += Math.max(Math.ceil(sent / sliceSize) - Math.floor(accepted / sliceSize), 1)
    }
  }
  return counts
}

/** How many files are uploaded in parallel. Browsers open six connections to a server, and the page needs some. */
export function filesAtATime (lanesEach: number): number {
  return Math.max(Math.min(Math.floor(4 / lanesEach), 2), 1)
}

function overlap (start: number, end: number, otherStart: number, otherEnd: number): number {
  return Math.max(Math.min(end, otherEnd) - Math.max(start, otherStart), 0)
}
