/** A box of an MP4 file, from `start` to `end`. */
export interface Box {
  type: string
  start: number
  end: number
  /** The size of its header: 8, or 16 if the length needs 64 bits. */
  header: number
}

/** The position of the index in an MP4. If the index is at the end, a player must wait for the complete file. */
export type Layout = 'front' | 'end' | 'fragmented' | 'none'

// Larger indexes belong to videos of several days. The index is read into memory, so its size is limited.
const largestIndex = 256 * 1024 * 1024
const containers = new Set(['moov', 'trak', 'mdia', 'minf', 'stbl'])

/** The top-level boxes. Only their headers are read. Empty if the file is not an MP4. */
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

/** Whether a player can start before the last byte has arrived. */
export async function findLayout (file: Blob): Promise<Layout> {
  const boxes = await readBoxes(file)
  const index = boxes.findIndex(box => box.type === 'moov')
  const data = boxes.findIndex(box => box.type === 'mdat')
  if (index < 0) return 'none'
  if (boxes.some(box => box.type === 'moof')) return 'fragmented'
  return data >= 0 && index > data ? 'end' : 'front'
}

/**
 * Moves the index of an MP4 from the end to the front, like `-movflags faststart` of ffmpeg. Only the index is read;
 * the media data stays a reference to the file. `null` if there is nothing to move or moving is not safe.
 */
export async function faststart (file: Blob): Promise<Blob | null> {
  const boxes = await readBoxes(file)
  const moov = boxes.find(box => box.type === 'moov')
  const mdat = boxes.find(box => box.type === 'mdat')
  const ftyp = boxes[0]
  if (!moov || !mdat || !ftyp || moov.start < mdat.start || moov.end - moov.start > largestIndex) return null
  const bytes = await file.slice(moov.start, moov.end).arrayBuffer()
  // Data before the index moves back by its length; data after it stays in place.
  if (!shiftOffsets(new DataView(bytes), moov.end - moov.start, moov.start)) return null
  const parts = [file.slice(0, ftyp.end), bytes, file.slice(ftyp.end, moov.start), file.slice(moov.end)]
  return new Blob(parts, { type: file.type })
}

function readBox (view: DataView, at: number, room: number): Omit<Box, 'start'> | null {
  const type = String.fromCharCode(...[4, 5, 6, 7].map(index => view.getUint8(at + index)))
  const short = view.getUint32(at)
  if (short === 1 && view.byteLength < at + 16) return null
  // 0: the box ends with the file; 1: the length follows in 64 bits (ISO/IEC 14496-12, 4.2).
  const header = short === 1 ? 16 : 8
  const end = short === 0 ? room : short === 1 ? Number(view.getBigUint64(at + 8)) : short
  return /^[\w ©]{4}$/.test(type) && end >= header && end <= room ? { type, end, header } : null
}

// Adds `by` to each chunk offset (stco, co64) in a moov that is below `before`.
function shiftOffsets (view: DataView, by: number, before: number): boolean {
  const walk = (from: number, to: number): boolean => {
    for (let at = from; at + 8 <= to;) {
      const box = readBox(view, at, to - at)
      if (!box) return false
      const content = at + box.header
      // A compressed index cannot be edited.
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
