import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { Upload } from 'tus-js-client'
import type { HttpRequest, UploadOptions } from 'tus-js-client'
import type { Source } from './source.ts'

/** A point in the file where sending stops until `reached` has done what it wants. */
export interface Cut {
  at: number
  reached: () => Promise<void>
}

interface TransferOptions extends Pick<UploadOptions, 'endpoint' | 'uploadUrl'> {
  source: Source
  sliceSize: number
  cut?: Cut
  onProgress: (bytesSent: number) => void
  onAccepted?: (bytesAccepted: number) => void
  onUrl?: (url: string) => void
  /** Called with the offset that each slice begins at. */
  onSlice?: (offset: number) => void
}

/** Sends a file, or the rest of it, in slices; rejects when the connection is lost. */
export function transfer ({ source, sliceSize, cut, endpoint, uploadUrl, ...on }: TransferOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    // The real bytes come from `fileReader`; what is given here tus-js-client only hands on to it.
    const upload = new Upload(Buffer.from(source.path), {
      ...endpoint && { endpoint },
      ...uploadUrl && { uploadUrl },
      metadata: { filename: source.name },
      chunkSize: sliceSize,
      // The demo wants to see the connection break. An app leaves the default, and tus-js-client tries again by itself.
      retryDelays: null,
      storeFingerprintForResuming: false,
      fileReader: {
        openFile: async () => ({
          size: source.size,
          slice: async (start, end) => {
            // tus-js-client does not look for errors of a stream.
            const stream = Readable.from(read(source.path, start, end, cut)).on('error', reject)
            return { value: Object.assign(stream, { size: end - start }), done: end === source.size }
          },
          close () {}
        })
      },
      onBeforeRequest (request: HttpRequest) {
        if (request.getMethod() === 'PATCH') on.onSlice?.(Number(request.getHeader('Upload-Offset')))
      },
      onUploadUrlAvailable: () => on.onUrl?.(upload.url as string),
      onProgress: on.onProgress,
      onChunkComplete: (_length, accepted) => on.onAccepted?.(accepted),
      onSuccess: () => resolve(),
      onError: reject
    })
    upload.start()
  })
}

/** The bytes from `start` to before `end`, with a stop at the cut if that lies between. */
async function * read (path: string, start: number, end: number, cut: Cut | undefined): AsyncGenerator<Buffer> {
  if (cut && start < cut.at && cut.at < end) {
    yield * createReadStream(path, { start, end: cut.at - 1 })
    await cut.reached()
    start = cut.at
  }
  yield * createReadStream(path, { start, end: end - 1 })
}
