import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId, newUploadId } from '../ids.ts'
import type { Concatenation, Upload, UploadMetadata } from '../types.ts'
import { authorize, callHook } from './hooks.ts'
import type { Scope } from './context.ts'

export interface Draft {
  /** In bytes; `undefined` where it is deferred. */
  length: number | undefined
  metadata: UploadMetadata
  /** As the client sent it. */
  rawMetadata: string | undefined
  concatenation?: Concatenation | undefined
}

/** An upload as the client wants it, with its id, once the app agrees to it in principle. */
export async function draftUpload (scope: Scope, request: FastifyRequest, draft: Draft): Promise<Upload> {
  const { length, metadata, rawMetadata, concatenation } = draft
  const upload: Upload = {
    id: await newId(scope, request, metadata),
    size: length,
    offset: 0,
    metadata,
    rawMetadata,
    concatenation,
    creation_date: new Date().toISOString()
  }
  await authorize(scope, request, { action: 'create', upload })
  return upload
}

/** What the app makes of a draft before it is created. */
export async function reviseDraft (scope: Scope, request: FastifyRequest, draft: Upload): Promise<Upload> {
  const metadata = await callHook(async () => {
    const changes = await scope.settings.onUploadCreate?.(request, draft)
    if (changes?.metadata !== undefined) checkMetadata(changes.metadata)
    return changes?.metadata
  })
  return metadata === undefined ? draft : { ...draft, metadata, rawMetadata: undefined }
}

/** How long keys and values may be together, in bytes: HEAD tells them in one header. */
const MAX_METADATA_BYTES = 8192

/** What a client could not have sent cannot be told to clients either. */
function checkMetadata (metadata: UploadMetadata): void {
  let bytes = 0
  for (const [key, value] of Object.entries(metadata)) {
    bytes += key.length + Buffer.byteLength(value ?? '')
    const isFine = /^[\x21-\x2b\x2d-\x7e]+$/.test(key) && (value === null || typeof value === 'string')
    if (!isFine) throw new TypeError(`onUploadCreate returned metadata that cannot be sent: ${JSON.stringify(key)}`)
  }
  if (bytes > MAX_METADATA_BYTES) throw new TypeError(`onUploadCreate returned ${bytes} bytes of metadata`)
}

async function newId (scope: Scope, request: FastifyRequest, metadata: UploadMetadata): Promise<string> {
  const { namingFunction } = scope.settings
  if (namingFunction === undefined) return newUploadId()
  const id: unknown = await callHook(() => namingFunction(request, metadata))
  if (typeof id !== 'string' || !isUploadId(id)) {
    request.log.error({ id }, 'namingFunction must return letters, digits, ".", "_" and "-", 100 at most')
    throw new errors.InvalidId()
  }
  return id
}
