import type { Stats } from 'node:fs'
import { errors } from '../errors.ts'
import type { Concatenation, Upload, UploadMetadata } from '../types.ts'

/** An upload with all that stores of `@tus/server` and `@tus/server` itself ask of one. */
export class StoredUpload implements Upload {
  id: string
  size: number | undefined
  offset: number
  metadata: UploadMetadata | undefined
  rawMetadata: string | undefined
  storage: Upload['storage']
  creation_date: string | undefined
  modified: number | undefined
  verified: number | undefined
  concatenation: Concatenation | undefined
  finished: boolean | undefined
  refused: boolean | undefined

  constructor (upload: Upload) {
    this.id = upload.id
    this.size = upload.size
    this.offset = upload.offset
    // Hooks may change what they are given; what is kept at hand must not change with it.
    this.metadata = upload.metadata && { ...upload.metadata }
    this.rawMetadata = upload.rawMetadata
    this.storage = upload.storage
    this.creation_date = upload.creation_date
    this.modified = upload.modified
    this.verified = upload.verified
    this.concatenation = upload.concatenation && { ...upload.concatenation }
    this.finished = upload.finished
    this.refused = upload.refused
  }

  /** As it is recorded: when it was last written to is a fact of the file. */
  toJSON (): Upload {
    return { ...this, modified: undefined }
  }

  get sizeIsDeferred (): boolean {
    return this.size === undefined
  }
}

/**
 * The upload of a record, as far as its file has come.
 * @throws FST_TUS_GONE where the file does not fit the record
 */
export function storedInFile (record: Upload, file: string, { size: bytes, mtimeMs }: Stats): StoredUpload {
  const { size, finished, verified } = record
  const offset = verified ?? bytes
  if (bytes < offset || (size !== undefined && (offset > size || (finished === true && offset < size)))) {
    throw new errors.Gone()
  }
  return new StoredUpload({ ...record, offset, modified: mtimeMs, storage: { type: 'file', path: file } })
}
