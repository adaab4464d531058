/** The source to hash: a file or a URL. */
export type HashRequest = Blob | string

/** A message of the worker. */
export type HashAnswer = { bytes: number } | { hash: string } | { error: string }

/**
 * The SHA-256 of a file or of the content of a URL, in hexadecimal. A worker computes it slice by slice, because
 * `crypto.subtle` needs the complete file in memory.
 * @throws Error if the source cannot be read
 */
export function sha256 (source: HashRequest, onBytes: (bytes: number) => void): Promise<string> {
  const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { type: 'module' })
  return new Promise<string>((resolve, reject) => {
    worker.addEventListener('error', () => reject(new Error('the worker has failed')))
    worker.addEventListener('message', ({ data }: MessageEvent<HashAnswer>) => {
      if ('bytes' in data) onBytes(data.bytes)
      else if ('hash' in data) resolve(data.hash)
      else reject(new Error(data.error))
    })
    worker.postMessage(source)
  }).finally(() => worker.terminate())
}
