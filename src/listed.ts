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
