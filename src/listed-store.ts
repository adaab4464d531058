import { FileStore } from '../plugin/index.ts'
import type { Upload } from '../plugin/index.ts'
import { UploadList } from './uploads.ts'

/** A `FileStore` that keeps a list of its uploads. */
export class ListedFileStore extends FileStore {
  readonly uploads = new UploadList(this)

  override async create (...args: Parameters<FileStore['create']>): ReturnType<FileStore['create']> {
    const created = await super.create(...args)
    this.uploads.note(created)
    return created
  }

  override async update (...[upload, changes]: Parameters<FileStore['update']>): Promise<void> {
    await super.update(upload, changes)
    const changed: Upload = { ...upload, ...changes }
    this.uploads.note(changed)
  }

  override async remove (id: string): Promise<void> {
    await super.remove(id)
    this.uploads.remove(id)
  }
}
