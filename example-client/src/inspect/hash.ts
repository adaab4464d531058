/** What to hash: a file, or what is at a URL. */
export type HashRequest = Blob | string

/** What the worker says, again and again. */
export type HashAnswer = { bytes: number } | { hash: string } | { error: string }

/**
 * The SHA-256 of a file, or of what a server has, in hexadecimal. It is made in a worker, slice by slice, because
 * `crypto.subtle` would want the whole file in memory.
 * @throws Error when it cannot be read
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
