import { errors } from '../../errors.ts'
import type { FileSystem } from './file-system.ts'

/**
 * Makes the directory of a file store, if it is missing.
 * @throws FST_TUS_DIRECTORY where it cannot be made or written to
 */
export function prepareDirectory (directory: string, fs: FileSystem): void {
  try {
    fs.prepareDirectory(directory)
  } catch (error) {
    throw new errors.Directory((error as Error).message)
  }
}
