/** A box of an mp4 file: what is between `start` and `end`. */
export interface Box {
  type: string
  start: number
  end: number
  /** Bytes of its header: 8, or 16 where the length needs 64 bits. */
  header: number
}

/** Where the index of an mp4 is: behind the media data, a player has to wait for the whole file. */
export type Layout = 'front' | 'end' | 'fragmented' | 'none'

// Larger indexes belong to videos of days; reading one into memory must stay harmless.
const largestIndex = 256 * 1024 * 1024
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl'])

/** The boxes on the top level, without reading more than their headers. Empty where the file is no mp4. */
export async function readBoxes (file: Blob): Promise<Box[]> {
  const boxes: Box[] = []
  for (let start = 0; start + 8 <= file.size;) {
    const view = new DataView(await file.slice(start, start + 16).arrayBuffer())
    const box = readBox(view, 0, file.size - start)
    if (!box || (boxes.length === 0 && box.type !== 'ftyp')) return []
    boxes.push({ ...box, start, end: start + box.end })
    start += box.end
  }
  return boxes
}

/** Tells whether a player can begin before the last byte is there. */
export async function findLayout (file: Blob): Promise<Layout> {
  const boxes = await readBoxes(file)
  const index = boxes.findIndex(box => box.type === 'moov')
  const data = boxes.findIndex(box => box.type === 'mdat')
  if (index < 0) return 'none'
  if (boxes.some(box => box.type === 'moof')) return 'fragmented'
  return data >= 0 && index > data ? 'end' : 'front'
}

/**
 * Moves the index of an mp4 from the end to the front, as ffmpeg's `-movflags faststart` does. Only the index is read;
 * the media data stays a reference to the file. `null` where there is nothing to move, or not safely.
 */
export async function faststart (file: Blob): Promise<Blob | null> {
  const boxes = await readBoxes(file)
  const moov = boxes.find(box => box.type === 'moov')
  const mdat = boxes.find(box => box.type === 'mdat')
  const ftyp = boxes[0]
  if (!moov || !mdat || !ftyp || moov.start < mdat.start || moov.end - moov.start > largestIndex) return null
  const bytes = await file.slice(moov.start, moov.end).arrayBuffer()
  // What was in front of the index moves back by its length; what is behind it stays where it is.
  if (!shiftOffsets(new DataView(bytes), moov.end - moov.start, moov.start)) return null
  const parts = [file.slice(0, ftyp.end), bytes, file.slice(ftyp.end, moov.start), file.slice(moov.end)]
  return new Blob(parts, { type: file.type })
}

function readBox (view: DataView, at: number, room: number): Omit<Box, 'start'> | null {
  const type = String.fromCharCode(...[4, 5, 6, 7].map(index => view.getUint8(at + index)))
  const short = view.getUint32(at)
  if (short === 1 && view.byteLength < at + 16) return null
  // 0: up to the end of the file; 1: the length follows in 64 bits (ISO/IEC 14496-12, 4.2).
  const header = short === 1 ? 16 : 8
  const end = short === 0 ? room : short === 1 ? Number(view.getBigUint64(at + 8)) : short
  return /^[\w ©]{4}$/.test(type) && end >= header && end <= room ? { type, end, header } : null
}

// Adds `by` to every chunk offset (stco, co64) in a moov that points in front of `before`.
function shiftOffsets (view: DataView, by: number, before: number): boolean {
  const walk = (from: number, to: number): boolean => {
    for (let at = from; at + 8 <= to;) {
      const box = readBox(view, at, to - at)
      if (!box) return false
      const content = at + box.header
      // A compressed index cannot be changed here.
      if (box.type === 'cmov') return false
      if (containers.has(box.type) && !walk(content, at + box.end)) return false
      if (box.type === 'stco' && !shift32(view, content, by, before)) return false
      if (box.type === 'co64') shift64(view, content, by, before)
      at += box.end
    }
    return true
  }
  return walk(0, view.byteLength)
}

function shift32 (view: DataView, content: number, by: number, before: number): boolean {
  for (let index = 0, count = view.getUint32(content + 4); index < count; index++) {
    const at = content + 8 + index * 4
    const offset = view.getUint32(at)
    if (offset >= before) continue
    if (offset + by > 0xffffffff) return false
    view.setUint32(at, offset + by)
  }
  return true
}

function shift64 (view: DataView, content: number, by: number, before: number): void {
  for (let index = 0, count = view.getUint32(content + 4); index < count; index++) {
    const at = content + 8 + index * 8
    const offset = view.getBigUint64(at)
    if (offset < BigInt(before)) view.setBigUint64(at, offset + BigInt(by))
  }
}
