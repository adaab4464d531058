import type { FileCache } from '../file-cache.ts'
import type { FileSystem } from './file-system.ts'

/**
 * A file system that closes the cached files and retries once if no descriptor is free: a file that is cached for a
 * possible request must not make a current request fail.
 */
export function retryOnEmfile (fs: FileSystem, cache: FileCache): FileSystem {
  const retry = <T> (open: () => Promise<T>): Promise<T> =>
    open().catch(async (error: unknown) => {
      if (!isOutOfDescriptors(error)) throw error
      await cache.closeFiles()
      return await open()
    })
  const retrying: Partial<FileSystem> = {
    open: (file, flags) => retry(() => fs.open(file, flags)),
    readFile: (file) => retry(() => fs.readFile(file)),
    copyFile: (from, to, mode) => retry(() => fs.copyFile(from, to, mode)),
    opendir: (directory) => retry(() => fs.opendir(directory))
  }
  // Everything else is read from `fs` at the time of the call.
  return Object.assign(Object.create(fs) as FileSystem, retrying)
}

/** Whether the process (EMFILE) or the machine (ENFILE) has reached its limit of open files. */
function isOutOfDescriptors (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}
