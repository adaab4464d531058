/** One upload, as the server lists it and the page shows it. */
export interface ListedUpload {
  id: string
  name: string | null
  type: string | null
  /** In bytes; `null` while the length is not known. */
  length: number | null
  offset: number
  state: 'uploading' | 'finished'
  /** ISO 8601. */
  createdAt: string
}

/** What `/api/uploads` answers, newest first. */
export interface Page {
  uploads: ListedUpload[]
  /** What to ask for as `before` to get those that follow; `null` where these are the last. */
  next: string | null
}
