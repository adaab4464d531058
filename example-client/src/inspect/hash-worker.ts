import { createSHA256 } from 'hash-wasm'
import type { HashAnswer, HashRequest } from './hash.ts'

const sliceSize = 8 * 1024 * 1024

self.addEventListener('message', ({ data }: MessageEvent<HashRequest>) => {
  hash(data).catch((error: unknown) => answer({ error: String(error) }))
})

async function hash (source: HashRequest): Promise<void> {
  const sha256 = await createSHA256()
  let bytes = 0
  for await (const part of source instanceof Blob ? slices(source) : download(source)) {
    sha256.update(part)
    bytes += part.length
    answer({ bytes })
  }
  answer({ hash: sha256.digest('hex') })
}

async function * slices (blob: Blob): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < blob.size; start += sliceSize) {
    yield new Uint8Array(await blob.slice(start, start + sliceSize).arrayBuffer())
  }
}

async function * download (url: string): AsyncGenerator<Uint8Array> {
  const response = await fetch(url)
  if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
  const reader = response.body.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
}

function answer (message: HashAnswer): void {
  self.postMessage(message)
}
