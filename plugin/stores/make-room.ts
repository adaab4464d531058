import type { AtHand } from './at-hand.ts'
import type { FileSystem } from './file-system.ts'

/**
 * A file system that closes the files that are kept at hand where no descriptor is free, and tries once more: what is
 * kept for a request that may come must not cost one that is there.
 */
export function makeRoom (fs: FileSystem, atHand: AtHand): FileSystem {
  const again = <A extends unknown[], T> (call: (...args: A) => Promise<T>) => (...args: A): Promise<T> =>
    call(...args).catch(async (error: unknown) => {
      if (!isOutOfDescriptors(error)) throw error
      await atHand.closeFiles()
      return await call(...args)
    })
  return {
    ...fs,
    open: again(fs.open),
    readFile: again(fs.readFile),
    copyFile: again(fs.copyFile),
    opendir: again(fs.opendir)
  }
}

/** Whether the process (EMFILE) or the machine (ENFILE) has all the files open that it may. */
function isOutOfDescriptors (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EMFILE' || code === 'ENFILE'
}
