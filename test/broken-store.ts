import { FileStore } from '../plugin/index.ts'

/** A file store that fails to read records on demand, as a disk with an I/O error does. */
export class BreakableStore extends FileStore {
  isBroken = false

  override async getUpload (id: string): ReturnType<FileStore['getUpload']> {
    if (this.isBroken) throw Object.assign(new Error('broken'), { code: 'EIO' })
    return await super.getUpload(id)
  }
}
