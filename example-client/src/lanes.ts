/**
 * A range of a file that is an upload of its own on the server. A file has one, or several that travel at the same time
 * and are joined at the end.
 */
export interface Lane {
  /** Where it begins in the file, in bytes. */
  start: number
  end: number
  /** Bytes of the lane that the server has acknowledged: these are safe. */
  accepted: number
  /** Bytes of the lane that the browser has handed to the network; never fewer than the accepted ones. */
  sent: number
  /** Whether a slice of it is on the way now. */
  busy: boolean
  url: string | null
}

/** One square of the strip. Both shares are 0 to 1, and `sent` is never smaller than `accepted`. */
export interface Cell {
  accepted: number
  sent: number
  /** Whether a slice of it is on the way now. */
  busy: boolean
}

/** What a strip of squares shows. */
export interface Strip {
  cells: Cell[]
  /** How many slices one square stands for. */
  slicesInCell: number
}

/** Cuts a file of `size` bytes into at most `count` lanes, at ends of slices. */
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

/** Bytes of all lanes together. */
export function sum (lanes: readonly Lane[], which: 'accepted' | 'sent'): number {
  return lanes.reduce((bytes, lane) => bytes + lane[which], 0)
}

/** Whether the server has all of a lane. */
export function isWhole (lane: Lane): boolean {
  // An empty file has a lane of no bytes, which is whole once the server has made its upload.
  return lane.url !== null && lane.accepted === lane.end - lane.start
}

/** The squares of a file: one for each slice, or for several of them where there would be more than `most`. */
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

/** How many slices there are, and where they are. */
export function countSlices (
  lanes: readonly Lane[],
  sliceSize: number
): { count: number, accepted: number, sending: number } {
  const counts = { count: 0, accepted: 0, sending: 0 }
  for (const { start, end, accepted, sent, busy } of lanes) {
    // The last slice of a lane may be shorter than the others.
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

/** How many files may go at a time: browsers open six connections to a server, and the page needs some itself. */
export function filesAtATime (lanesEach: number): number {
  return Math.max(Math.min(Math.floor(4 / lanesEach), 2), 1)
}

function overlap (start: number, end: number, otherStart: number, otherEnd: number): number {
  return Math.max(Math.min(end, otherEnd) - Math.max(start, otherStart), 0)
}
