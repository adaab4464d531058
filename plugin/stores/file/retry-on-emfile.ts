import type { AtHand } from './file-cache.ts'
import type { FileSystem, Opening } from './file-system.ts'

/**
 * A file system that closes the files that are kept at hand where no descriptor is free, and tries once more: what is
 * kept for a request that may come must not cost one that is there.
 */
export function makeRoom (fs: FileSystem, atHand: AtHand): FileSystem {
  const again: Opening = (call) =>
    call().catch(async (error: unknown) => {
      if (!isOutOfDescriptors(error)) throw error
      await atHand.closeFiles()
      return await call()
    })
  const roomy: Partial<FileSystem> = {
    open: (file, flags) => again(() => fs.open(file, flags)),
    readFile: (file) => again(() => fs.readFile(file)),
    copyFile: (from, to, mode) => again(() => fs.copyFile(from, to, mode)),
    opendir: (directory) => again(() => fs.opendir(directory)),
    createReadStream: (file, range) => fs.createReadStream(file, range, again)
  }
  // All else is asked of `fs` itself, as it is at that time.
  return Object.assign(Object.create(fs) as FileSystem, roomy)
}

/** Whether the process (EMFILE) or the machine (ENFILE) has all the files open that it may. */
function isOutOfDescriptors (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}
