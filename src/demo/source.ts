import { readFile, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { DemoError } from './errors.ts'
import { root } from './root.ts'

/** The file that the demo sends. */
export interface Source {
  path: string
  name: string
  size: number
}

/** Long enough to watch. */
const fixtureSize = 64 * 1024 * 1024

/**
 * Checks the file to send.
 * @throws DemoError if it cannot be sent
 */
export async function openSource (path: string): Promise<Source> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new DemoError(error.code === 'ENOENT' ? `No such file: ${path}` : `Cannot read ${path}: ${error.code}`)
  })
  if (!stats.isFile()) throw new DemoError(`${path} is not a file`)
  if (stats.size < 2) throw new DemoError(`${path} is too small (${stats.size} bytes): the upload must have a middle`)
  return { path, name: basename(path), size: stats.size }
}

/** Creates a file of any size by repeating the clip of the tests. */
export async function makeSource (directory: string, size = fixtureSize): Promise<Source> {
  const clip = await readFile(join(root, 'test/fixtures/clip.mp4'))
  const path = join(directory, 'clip.mp4')
  await writeFile(path, Buffer.alloc(size, clip))
  return openSource(path)
}
