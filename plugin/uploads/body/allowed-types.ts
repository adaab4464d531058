import { errors } from '../../errors.ts'
import type { AbleStore } from '../../stores/adapter.ts'
import type { Upload } from '../../types.ts'
import type { Scope } from '../context.ts'
import { isFinal, isPartial, isWhole } from '../state.ts'

/** How many bytes are looked at: what file-type asks for. */
const HEAD_BYTES = 4100

/** Looks at bytes before they are stored. */
type Judge = (buffers: Buffer[]) => Promise<void>

/**
 * Makes what judges the first bytes of an upload while they arrive, be it in one body or in several.
 * @returns `undefined` where there is nothing to judge: types are not limited, it was judged before, or it is a part
 */
export function judgeOf ({ settings, store }: Scope, upload: Upload): Judge | undefined {
  const { isAllowedType } = settings
  if (isAllowedType === undefined || upload.offset >= HEAD_BYTES || isPartial(upload)) return undefined
  let head: Buffer | undefined
  return async (buffers) => {
    if (head?.length === HEAD_BYTES) return
    head = firstBytes([head ?? await readHead(store, upload), ...buffers])
    if (head.length === HEAD_BYTES) await judge(isAllowedType, head)
  }
}

/**
 * Judges a whole upload that was not judged while it arrived: a short one, or one that is made of others.
 * @throws FST_TUS_TYPE_REFUSED
 */
export async function judgeWhole ({ settings, store }: Scope, upload: Upload): Promise<void> {
  const { isAllowedType } = settings
  const isDue = isFinal(upload) || upload.offset < HEAD_BYTES
  if (isAllowedType === undefined || isPartial(upload) || !isWhole(upload) || !isDue) return
  await judge(isAllowedType, await readHead(store, upload))
}

async function judge (isAllowed: (type: string) => boolean, head: Buffer): Promise<void> {
  const type = await typeOf(head)
  if (!isAllowed(type)) throw new errors.TypeRefused(type)
}

/** What bytes are, by their signature. Text has none: it is what is UTF-8 without control characters. */
async function typeOf (head: Buffer): Promise<string> {
  // Loaded by the first upload of an app that asks for it.
  const { fileTypeFromBuffer } = await import('file-type')
  // Malformed, it may be anything: an archive with bytes behind its end makes file-type throw on Node.js 24.
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  return found?.mime ?? (isText(head) ? 'text/plain' : 'application/octet-stream')
}

function isText (head: Buffer): boolean {
  try {
    // The last character may be cut in two.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    // eslint-disable-next-line no-control-regex -- they are what tells other bytes from text (MIME Sniffing, 3)
    return !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
  } catch {
    return false
  }
}

async function readHead (store: AbleStore, { id, offset }: Upload): Promise<Buffer> {
  const length = Math.min(offset, HEAD_BYTES)
  if (length === 0) return Buffer.alloc(0)
  const buffers: Buffer[] = []
  let bytes = 0
  for await (const buffer of await store.read(id, { start: 0, end: length - 1 })) {
    buffers.push(buffer as Buffer)
    bytes += (buffer as Buffer).length
    // A store that reads no ranges goes on.
    if (bytes >= length) break
  }
  return Buffer.concat(buffers).subarray(0, length)
}

function firstBytes (buffers: Buffer[]): Buffer {
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat(buffers, Math.min(bytes, HEAD_BYTES))
}
