import type { Upload } from '../plugin/index.ts'

/** One upload, as the server lists it and the page shows it. */
export interface ListedUpload {
  id: string
  name: string | null
  type: string | null
  /** In bytes; `null` while the length is deferred. */
  length: number | null
  offset: number
  state: 'uploading' | 'finished'
  /** ISO 8601. */
  createdAt: string
}

/** The response of `/api/uploads`, newest upload first. */
export interface Page {
  uploads: ListedUpload[]
  /** The `before` of the next page; `null` on the last page. */
  next: string | null
}

/** A part is listed as its final upload, and a refused upload is not listed. */
export function isHidden ({ concatenation, refused }: Upload): boolean {
  return refused === true || (concatenation !== undefined && concatenation.parts === undefined)
}

/** An upload as it is listed. */
export function describe (upload: Upload): ListedUpload {
  const { id, offset, size = null, metadata = {}, finished } = upload
  return {
    id,
    name: metadata['filename'] ?? metadata['name'] ?? null,
    type: metadata['filetype'] ?? metadata['type'] ?? null,
    length: size,
    offset,
    state: finished === true ? 'finished' : 'uploading',
    createdAt: String(upload.creation_date)
  }
}
