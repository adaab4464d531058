import type { Upload } from '../../../types.ts'
import { errors } from '../../../errors.ts'
import { StoredUpload } from '../../stored-upload.ts'
import type { Bucket, Condition, ObjectProperties } from '../bucket/bucket.ts'
import type { Garbage } from '../sweeps/garbage.ts'
import { segmentKey } from '../bucket/keys.ts'
import { type Piece, planParts } from './plan-parts.ts'
import { contentOf, type Segments } from '../appends/segments.ts'
import type { State, VersionedState } from '../states/state.ts'
import type { States } from '../states/states.ts'

/** An object of up to this size is sent in one request, in bytes. */
const SINGLE_BYTES = 8 * 1024 * 1024
/** How many parts are copied at the same time. */
const WIDTH = 8
/** The key of the metadata that says to which upload an object belongs. */
const OWNER = 'tus-upload'

export interface AssemblyContext {
  bucket: Bucket
  states: States
  segments: Segments
  garbage: Garbage
  propertiesOf: (upload: Upload) => ObjectProperties
}

/**
 * Makes the object of a complete upload from its segments. The server copies them. Until the state says that the object
 * exists, the segments count, so that a crash at any moment repeats the work.
 */
export async function assemble (context: AssemblyContext, state: VersionedState): Promise<VersionedState> {
  const { id, offset } = state.upload
  const made = await makeObject(context, state, contentOf(state), offset)
  const assembled = await place(context, made, () => placed)
  context.garbage.delete(state.segments.map(({ name }) => segmentKey(id, name)))
  return assembled
}

/** Makes the object of a final upload from the objects of its parts. */
export async function concatenate (
  context: AssemblyContext, state: VersionedState, parts: Upload[], signal: AbortSignal | undefined
): Promise<VersionedState> {
  const pieces = []
  for (const part of parts) pieces.push(await objectOf(context, part))
  const offset = parts.reduce((sum, part) => sum + part.offset, 0)
  const made = await makeObject(context, state, pieces, offset, signal)
  return await place(context, made, ({ upload }) => ({
    ...placed, upload: new StoredUpload({ ...upload, offset, complete: true, modified: Date.now() })
  }))
}

/** Records that the object exists. If the upload was deleted in the meantime, nothing else would delete the object. */
async function place (
  { bucket, states }: AssemblyContext, state: VersionedState, changesFor: (state: State) => Partial<State>
): Promise<VersionedState> {
  try {
    return await states.commit(state, changesFor)
  } catch (error) {
    const { upload: { id }, birth } = state
    const isGone = error instanceof errors.Displaced && (await states.read(id))?.birth !== birth
    if (isGone) await deleteObject(bucket, id, birth)
    throw error
  }
}

/** Deletes the object of an upload, but not that of a later upload with the same id. */
export async function deleteObject (bucket: Bucket, id: string, birth: string): Promise<void> {
  const found = await bucket.head(id)
  if (found?.metadata[OWNER] === birth) await bucket.delete(id, found)
}

const placed: Partial<State> = {
  phase: 'object', segments: [], tail: Buffer.alloc(0), appending: undefined, multipart: undefined
}

async function objectOf (context: AssemblyContext, { id, offset, finished }: Upload): Promise<Piece> {
  // The finish hook of a part runs after its object exists.
  const state = finished === true ? undefined : await context.states.find(id)
  if (state?.phase === 'open') await assemble(context, state)
  return { key: id, start: 0, bytes: offset, isWhole: true }
}

/** @returns the state, which names the multipart upload */
async function makeObject (
  context: AssemblyContext, state: VersionedState, pieces: Piece[], bytes: number, signal?: AbortSignal
): Promise<VersionedState> {
  const { bucket, segments, propertiesOf } = context
  const { upload: { id }, birth } = state
  const properties = propertiesOf(state.upload)
  const owned = { ...properties, Metadata: { ...properties['Metadata'] as object | undefined, [OWNER]: birth } }
  const content = pieces.filter((piece) => piece.bytes > 0)
  if (bytes <= SINGLE_BYTES) {
    const whole = await segments.readAll(content)
    await placeOnce(bucket, state, bytes, (condition) => bucket.put(id, whole, condition, owned))
    return state
  }
  // A multipart upload of an earlier attempt.
  if (state.multipart !== undefined) await bucket.abortMultipart(id, state.multipart)
  const multipart = await bucket.createMultipart(id, owned)
  const begun = await context.states.commit(state, () => ({ multipart })).catch(async (error: unknown) => {
    await bucket.abortMultipart(id, multipart).catch(() => {})
    throw error
  })
  const etags = await sendParts(context, id, multipart, planParts(content), signal)
  await placeOnce(bucket, state, bytes, (condition) => bucket.completeMultipart(id, multipart, etags, condition))
  return begun
}

async function sendParts (
  { bucket, segments }: AssemblyContext, id: string, multipart: string, parts: Piece[][], signal?: AbortSignal
): Promise<string[]> {
  const etags: string[] = []
  const entries = parts.entries()
  let isFailed = false
  const send = async () => {
    for (const [i, pieces] of entries) {
      signal?.throwIfAborted()
      if (isFailed) return
      const [first] = pieces as [Piece]
      etags[i] = pieces.length === 1 && first.content === undefined
        ? await bucket.copyPart(id, multipart, i + 1, first)
        : await bucket.uploadPart(id, multipart, i + 1, await segments.readAll(pieces))
    }
  }
  // No request may be under way once another attempt begins.
  const sent = await Promise.allSettled(Array.from({ length: WIDTH }, () => send().catch((error: unknown) => {
    isFailed = true
    throw error
  })))
  for (const result of sent) if (result.status === 'rejected') throw result.reason
  return etags
}

/**
 * Writes the object if it does not exist. An earlier attempt may have written it, for example if its response was lost.
 */
async function placeOnce (
  bucket: Bucket, { upload: { id }, birth }: VersionedState, bytes: number,
  write: (condition: Condition) => Promise<unknown>
): Promise<void> {
  try {
    await write({ isNew: true })
  } catch (error) {
    const found = await bucket.head(id).catch(() => { throw error })
    if (found?.metadata[OWNER] !== birth || found.bytes !== bytes) throw error
  }
}
