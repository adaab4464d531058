import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Page } from 'playwright-core'

/** Waits until all writes of the page to IndexedDB are complete. Transactions complete in their order. */
export async function remembered (page: Page): Promise<void> {
  await page.evaluate(`new Promise((resolve, reject) => {
    const opening = indexedDB.open('fastify-tus')
    opening.onerror = reject
    opening.onsuccess = () => {
      const transaction = opening.result.transaction([...opening.result.objectStoreNames], 'readwrite')
      transaction.objectStore('uploads').count()
      transaction.oncomplete = () => { opening.result.close(); resolve() }
    }
  })`)
}

/** An upload on the disk of the server. */
export interface Stored {
  id: string
  path: string
  /** The number of stored bytes. */
  bytes: number
  filename: string | undefined
  size: number | undefined
}

/** The finished and unfinished uploads in the folder of a server. */
export async function readUploads (directory: string): Promise<Stored[]> {
  const found: Stored[] = []
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.json')) continue
    const id = name.slice(0, -5)
    // Being written, replaced or deleted at the moment.
    const record = await readFile(join(directory, name), 'utf8').then(JSON.parse).catch(() => null)
    const bytes = await stat(join(directory, id)).then(stats => stats.size, () => 0)
    if (!record) continue
    found.push({ id, path: join(directory, id), bytes, filename: record.metadata?.filename, size: record.size })
  }
  return found
}

export async function sha256 (path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
