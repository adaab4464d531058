import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { DemoError } from './errors.ts'
import { mebibytes } from './progress.ts'
import type { Source } from './source.ts'
import type { Steps } from './steps.ts'

/** The first step: reports the file. Resolves with its hash. */
export async function reportSource (source: Source, steps: Steps): Promise<string> {
  steps.say(`A file to send: ${source.name}, ${mebibytes(source.size)}`)
  const hash = await sha256(createReadStream(source.path))
  steps.note(`SHA-256 ${hash}`)
  return hash
}

/**
 * The last step: compares the stored bytes, and those that a GET returns, with the hash of the sent file.
 * @throws DemoError if they differ
 */
export async function compare (hash: string, storedBytes: Readable, url: string, steps: Steps): Promise<void> {
  steps.say('Comparing the sent, the stored and the served file')
  const stored = await sha256(storedBytes)
  steps.note(`SHA-256 ${stored}  stored`)
  const response = await fetch(url)
  const served = await sha256(Readable.fromWeb(response.body as ReadableStream))
  steps.note(`SHA-256 ${served}  from GET, status ${response.status}`)
  if (stored !== hash) throw new DemoError('The stored file differs from the sent file')
  if (served !== hash) throw new DemoError('The served file differs from the sent file')
}

/** The SHA-256 of all bytes of a stream. */
export async function sha256 (stream: Readable): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of stream) hash.update(bytes as Uint8Array)
  return hash.digest('hex')
}
