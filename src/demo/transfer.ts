import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { Upload } from 'tus-js-client'
import type { DetailedError, HttpRequest, UploadOptions } from 'tus-js-client'
import { DemoError } from './errors.ts'
import type { Source } from './source.ts'

/** A position in the file where sending pauses until `reached` resolves. */
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
  /** Called with the offset at which each slice begins. */
  onSlice?: (offset: number) => void
}

/** Sends a file, or the rest of it, in slices; rejects if the connection is lost. */
export function transfer ({ source, sliceSize, cut, endpoint, uploadUrl, ...on }: TransferOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    // `fileReader` provides the bytes; tus-js-client only passes this value to it.
    const upload = new Upload(Buffer.from(source.path), {
      ...endpoint && { endpoint },
      ...uploadUrl && { uploadUrl },
      metadata: { filename: source.name },
      chunkSize: sliceSize,
      // The demo must notice a lost connection. Apps keep the default, so that tus-js-client retries automatically.
      // 423 is no crash: a busy machine may not renew a lock in time.
      onShouldRetry: error => (error as DetailedError).originalResponse?.getStatus() === 423,
      storeFingerprintForResuming: false,
      fileReader: {
        openFile: async () => ({
          size: source.size,
          slice: async (start, end) => {
            // tus-js-client does not listen to errors of a stream.
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

/**
 * Asks the server how many bytes of an upload it has.
 * @throws DemoError if it does not have the upload
 */
export async function askOffset (url: string): Promise<number> {
  const response = await fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
  const offset = response.headers.get('upload-offset')
  if (offset === null) throw new DemoError(`The server no longer has the upload: status ${response.status}`)
  return Number(offset)
}

/** The bytes from `start` up to but not including `end`, with a pause at the cut if it is between them. */
async function * read (path: string, start: number, end: number, cut: Cut | undefined): AsyncGenerator<Buffer> {
  if (cut && start < cut.at && cut.at < end) {
    yield * createReadStream(path, { start, end: cut.at - 1 })
    await cut.reached()
    start = cut.at
  }
  yield * createReadStream(path, { start, end: end - 1 })
}
