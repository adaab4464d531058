/** Page cache writes alone: writes the configured number of bytes in batches, on request. */
import { randomFillSync } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import path from 'node:path'
import { answer } from './questions.ts'
import { listen, options } from './serve.ts'

const batch = randomFillSync(Buffer.alloc(1024 * 1024))
const file = path.join(options.directory, 'written')

answer('write', async () => {
  const handle = await open(file, 'wx')
  for (let at = 0; at < Number(options.bytes); at += batch.length) await handle.write(batch, 0, batch.length, at)
  await handle.close()
  await rm(file)
})

// The benchmark waits until the port accepts connections.
listen((_request, response) => response.end())
