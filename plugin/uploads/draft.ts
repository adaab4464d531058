import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isUploadId, newUploadId } from '../ids.ts'
import type { Concatenation, Upload, UploadMetadata } from '../types.ts'
import { authorize, callHook } from './hooks.ts'
import type { Scope } from './scope.ts'

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
  const changes = await callHook(() => scope.settings.onUploadCreate?.(request, draft))
  return changes?.metadata === undefined ? draft : { ...draft, metadata: changes.metadata, rawMetadata: undefined }
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
