import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { NewStorage, ServedDirectory, Storage, Stored } from './storage.ts'

/** Storages in a directory. `isShared`: several processes serve them. */
export function directoriesIn (parent: string, { isShared = false } = {}): NewStorage {
  return async (name) => {
    const directory = path.join(parent, name)
    await mkdir(directory, { recursive: true })
    return new DirectoryStorage({ directory, notes: `${directory}.notes`, isShared })
  }
}

class DirectoryStorage implements Storage {
  readonly served: ServedDirectory
  readonly isExclusive = true
  readonly mayBeOutdated = false

  constructor (served: ServedDirectory) {
    this.served = served
  }

  async look (): Promise<{ uploads: Map<string, Stored>, records: string[] }> {
    const uploads = new Map<string, Stored>()
    const records = []
    for (const name of await this.names()) {
      if (name.endsWith('.json')) records.push(name.slice(0, -'.json'.length))
      const file = path.join(this.served.directory, name)
      // A sweep may delete it at any time.
      const stats = await stat(file).catch(() => undefined)
      if (stats === undefined) continue
      uploads.set(name, { version: `${stats.size} ${stats.mtimeMs}`, read: () => readFile(file) })
    }
    return { uploads, records }
  }

  async names (): Promise<string[]> {
    return await readdir(this.served.directory)
  }

  namesOf (id: string): string[] {
    return [id, `${id}.json`]
  }
}
