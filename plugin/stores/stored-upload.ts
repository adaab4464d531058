import type { Concatenation, Upload, UploadMetadata } from '../types.ts'

/**
 * Whether all bytes are stored. Either the record says so or, if it leaves that out, the offset has reached the length.
 */
export function isComplete ({ complete, concatenation, offset, size }: Upload): boolean {
  return complete ?? (concatenation?.parts === undefined && offset === size)
}

/** An upload with everything that stores of `@tus/server`, and `@tus/server` itself, read from one. */
export class StoredUpload implements Upload {
  id: string
  size: number | undefined
  offset: number
  complete: boolean | undefined
  metadata: UploadMetadata | undefined
  rawMetadata: string | undefined
  storage: Upload['storage']
  creation_date: string | undefined
  modified: number | undefined
  verified: number | undefined
  protocol: string | undefined
  concatenation: Concatenation | undefined
  finished: boolean | undefined
  refused: boolean | undefined

  constructor (upload: Upload) {
    this.id = upload.id
    this.size = upload.size
    this.offset = upload.offset
    this.complete = upload.complete
    // Hooks may change the object that they get; a cached record must not change with it.
    this.metadata = upload.metadata && { ...upload.metadata }
    this.rawMetadata = upload.rawMetadata
    this.storage = upload.storage
    this.creation_date = upload.creation_date
    this.modified = upload.modified
    this.verified = upload.verified
    this.protocol = upload.protocol
    this.concatenation = upload.concatenation && { ...upload.concatenation }
    this.finished = upload.finished
    this.refused = upload.refused
  }

  /** The form of records. `modified` is left out: the file knows when it was last written to. */
  toJSON (): Upload {
    return { ...this, modified: undefined }
  }

  get sizeIsDeferred (): boolean {
    return this.size === undefined
  }
}
