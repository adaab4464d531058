import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId, newUploadId } from '../ids.ts'
import type { Settings } from '../settings.ts'
import type { Upload, UploadMetadata } from '../types.ts'
import { authorize, callHook } from './hooks.ts'

/** The properties that a client sends for a new upload. */
export interface NewUpload extends Pick<
  Upload, 'size' | 'complete' | 'rawMetadata' | 'protocol' | 'concatenation'
> {
  metadata: UploadMetadata
}

/** The upload that a client wants to create, with its id, once `authorize` has accepted it. */
export async function draftUpload (
  settings: Settings, request: FastifyRequest, wanted: NewUpload
): Promise<Upload> {
  const upload: Upload = {
    id: await newId(settings, request, wanted.metadata),
    size: wanted.size,
    offset: 0,
    complete: wanted.complete,
    metadata: wanted.metadata,
    rawMetadata: wanted.rawMetadata,
    protocol: wanted.protocol,
    concatenation: wanted.concatenation,
    creation_date: new Date().toISOString()
  }
  await authorize(settings, request, { action: 'create', upload })
  return upload
}

/** The upload with the changes of `onUploadCreate`. */
export async function applyCreateHook (settings: Settings, request: FastifyRequest, draft: Upload): Promise<Upload> {
  const metadata = await callHook(async () => {
    const changes = await settings.onUploadCreate?.(request, draft)
    if (changes?.metadata !== undefined) checkMetadata(changes.metadata)
    return changes?.metadata
  })
  return metadata === undefined ? draft : { ...draft, metadata, rawMetadata: undefined }
}

/**
 * The maximum length of metadata, in bytes, in the form in which clients send and receive it: pairs of a key and a
 * base64 value, separated by commas.
 */
export const MAX_METADATA_BYTES = 8192

export const MAX_METADATA_KEYS = 100

/** Metadata that a client could not have sent cannot be sent to clients either. */
function checkMetadata (metadata: UploadMetadata): void {
  const pairs = Object.entries(metadata)
  if (pairs.length > MAX_METADATA_KEYS) throw new TypeError(`onUploadCreate returned ${pairs.length} keys of metadata`)
  let bytes = Math.max(pairs.length - 1, 0)
  for (const [key, value] of pairs) {
    const isValid = /^[\x21-\x2b\x2d-\x7e]+$/.test(key) && (value === null || typeof value === 'string')
    if (!isValid) throw new TypeError(`onUploadCreate returned invalid metadata at key ${JSON.stringify(key)}`)
    bytes += key.length + (value === null ? 0 : 1 + base64Length(value))
  }
  if (bytes > MAX_METADATA_BYTES) throw new TypeError(`onUploadCreate returned ${bytes} bytes of encoded metadata`)
}

function base64Length (text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3) * 4
}

async function newId (
  { namingFunction }: Settings, request: FastifyRequest, metadata: UploadMetadata
): Promise<string> {
  if (namingFunction === undefined) return newUploadId()
  const id: unknown = await callHook(() => namingFunction(request, metadata))
  if (typeof id !== 'string' || !isUploadId(id)) {
    request.log.error({ id }, 'namingFunction must return up to 100 letters, digits, ".", "_" and "-"')
    throw new errors.InvalidId()
  }
  return id
}
