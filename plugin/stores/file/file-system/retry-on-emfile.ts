import type { FileCache } from '../file-cache.ts'
import type { FileSystem, Opening } from './file-system.ts'

/**
 * A file system that closes the cached files and tries once more if no descriptor is free: a file that is cached for a
 * request that may come must not fail one that is there.
 */
export function retryOnEmfile (fs: FileSystem, cache: FileCache): FileSystem {
  const retry: Opening = (open) =>
    open().catch(async (error: unknown) => {
      if (!isOutOfDescriptors(error)) throw error
      await cache.closeFiles()
      return await open()
    })
  const retrying: Partial<FileSystem> = {
    open: (file, flags) => retry(() => fs.open(file, flags)),
    readFile: (file) => retry(() => fs.readFile(file)),
    copyFile: (from, to, mode) => retry(() => fs.copyFile(from, to, mode)),
    opendir: (directory) => retry(() => fs.opendir(directory)),
    createReadStream: (file, range) => fs.createReadStream(file, range, retry)
  }
  // Everything else is looked up in `fs` at the time of the call.
  return Object.assign(Object.create(fs) as FileSystem, retrying)
}

/** Whether the process (EMFILE) or the machine (ENFILE) has as many files open as it may. */
function isOutOfDescriptors (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}
