import { errors } from '../../errors.ts'
import type { StoreAdapter } from '../../stores/adapter.ts'
import type { Upload } from '../../types.ts'
import type { Context } from '../context.ts'
import { isComplete, isFinal, isFinished, isPartial } from '../state.ts'

/** How many bytes are examined: as many as file-type recommends. */
const HEAD_BYTES = 4100

/** Checks bytes before they are stored. */
type TypeChecker = (buffers: Buffer[]) => Promise<void>

/**
 * Returns a checker for the first bytes of an upload, which may arrive in several bodies.
 * @returns `undefined` if there is nothing to check: all types are allowed, these bytes are not the first ones, the
 *   upload is a part of another one, or the store cannot read the bytes before these; `checkWholeType` then runs later
 */
export function typeCheckerFor ({ settings, store }: Context, upload: Upload): TypeChecker | undefined {
  const { isAllowedType } = settings
  const isReadable = upload.offset === 0 || store.capabilities.has('read-unfinished')
  if (isAllowedType === undefined || upload.offset >= HEAD_BYTES || isPartial(upload) || !isReadable) return undefined
  let head: Buffer | undefined
  return async (buffers) => {
    if (head?.length === HEAD_BYTES) return
    head = firstBytes([head ?? await readHead(store, upload), ...buffers])
    if (head.length === HEAD_BYTES) await checkType(isAllowedType, head)
  }
}

/**
 * Checks a complete upload that was not checked while it arrived: a short upload, a final upload, or an upload in a
 * store that cannot read unfinished uploads.
 * @throws FST_TUS_TYPE_REFUSED
 */
export async function checkWholeType ({ settings, store }: Context, upload: Upload): Promise<void> {
  const { isAllowedType } = settings
  if (isAllowedType === undefined || isPartial(upload) || !isComplete(upload)) return
  const isUnchecked = isFinal(upload) || upload.offset < HEAD_BYTES || !store.capabilities.has('read-unfinished')
  if (isUnchecked) await checkType(isAllowedType, await readHead(store, upload))
}

/**
 * How many bytes of an upload may be read while it grows: all that are stored, but none before `checkType` has accepted
 * the first ones.
 */
export function checkedBytes ({ settings }: Context, upload: Upload): number {
  const isChecked = settings.isAllowedType === undefined || isFinished(upload) ||
    (upload.offset >= HEAD_BYTES && !isFinal(upload))
  return isChecked ? upload.offset : 0
}

async function checkType (isAllowed: (type: string) => boolean, head: Buffer): Promise<void> {
  const type = await typeOf(head)
  if (!isAllowed(type)) throw new errors.TypeRefused(type)
}

/** The media type of content, by its signature. Text has none: it is UTF-8 without control characters. */
async function typeOf (head: Buffer): Promise<string> {
  // Loaded with the first upload of an app that limits types.
  const { fileTypeFromBuffer } = await import('file-type')
  // Malformed content can be anything: an archive with trailing bytes makes file-type throw on Node.js 24.
  const found = await fileTypeFromBuffer(head).catch(() => undefined)
  return found?.mime ?? (isText(head) ? 'text/plain' : 'application/octet-stream')
}

function isText (head: Buffer): boolean {
  try {
    // The last character may be truncated.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    // eslint-disable-next-line no-control-regex -- control characters distinguish binary content (MIME Sniffing, 3)
    return !/[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text)
  } catch {
    return false
  }
}

async function readHead (store: StoreAdapter, { id, offset }: Upload): Promise<Buffer> {
  const length = Math.min(offset, HEAD_BYTES)
  if (length === 0) return Buffer.alloc(0)
  const buffers: Buffer[] = []
  let bytes = 0
  for await (const buffer of await store.read(id, { start: 0, end: length - 1 })) {
    buffers.push(buffer as Buffer)
    bytes += (buffer as Buffer).length
    // A store without ranges returns everything.
    if (bytes >= length) break
  }
  return Buffer.concat(buffers).subarray(0, length)
}

function firstBytes (buffers: Buffer[]): Buffer {
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat(buffers, Math.min(bytes, HEAD_BYTES))
}
