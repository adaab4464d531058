import { randomBytes } from 'node:crypto'
import path from 'node:path'
import type { KvStore, Upload } from '../../types.ts'
import { DamagedRecord, isMissing, unless } from './file-system/file-errors.ts'
import { type FileSystem, fileSystem } from './file-system/file-system.ts'
import { writeAll } from './file-system/write-all.ts'

/** The record of an upload: one JSON file, `<id>.json`, in the form that `@tus/file-store` gives it. */
export class FileRecords implements KvStore {
  readonly directory: string
  readonly #fs: FileSystem

  constructor (directory: string, fs: FileSystem = fileSystem) {
    this.directory = directory
    this.#fs = fs
  }

  /** @returns `undefined` if there is none, or the file is not a record of ours */
  async get (id: string): Promise<Upload | undefined> {
    let text: string
    try {
      text = await this.#fs.readFile(this.#path(id))
    } catch (error) {
      if (!isMissing(error)) throw error
      // If the volume is no longer mounted, clients must not conclude that their uploads do not exist.
      await this.#fs.access(this.directory).catch(rethrowUnmounted)
      return undefined
    }
    return parseRecord(id, text)
  }

  /** Whether there is a record, damaged or not. */
  async has (id: string): Promise<boolean> {
    return await this.#fs.access(this.#path(id)).then(() => true, unless(isMissing, false))
  }

  /**
   * Creates the record of a new upload.
   * @param sync - whether its bytes must survive a crash of the machine; its name does after `syncDirectory`
   * @throws EEXIST if there is one
   */
  async add (id: string, upload: Upload, sync = false): Promise<void> {
    await this.#write(this.#path(id), upload, sync)
  }

  /**
   * Replaces the record. The new one is written to a temporary file and renamed: a crash leaves the old or the new one.
   * @param sync - whether it must survive a crash of the machine once this resolves
   */
  async set (id: string, upload: Upload, sync = false): Promise<void> {
    const temporary = temporaryName(this.#path(id))
    await this.#write(temporary, upload, sync)
    try {
      await this.#fs.rename(temporary, this.#path(id))
    } catch (error) {
      await this.#fs.unlink(temporary).catch(unless(isMissing, undefined))
      throw error
    }
    if (sync) await this.syncDirectory()
  }

  /** @returns whether there was one */
  async delete (id: string): Promise<boolean> {
    return await this.#fs.unlink(this.#path(id)).then(() => true, unless(isMissing, false))
  }

  async list (): Promise<string[]> {
    const ids = []
    for await (const id of this.ids()) ids.push(id)
    return ids
  }

  /** The ids of all records, without holding them all in memory. */
  async * ids (): AsyncGenerator<string> {
    for await (const name of this.names()) {
      if (name.endsWith('.json')) yield name.slice(0, -'.json'.length)
    }
  }

  /** The names of all files in the directory. */
  async * names (): AsyncGenerator<string> {
    const directory = await this.#fs.opendir(this.directory)
    for await (const entry of directory) {
      if (entry.isFile()) yield entry.name
    }
  }

  /** Makes creations, renames and deletions in the directory survive a crash of the machine. */
  async syncDirectory (): Promise<void> {
    // Windows cannot sync a directory; NTFS keeps a journal of names.
    if (process.platform === 'win32') return
    const opened = await this.#fs.open(this.directory, 'r')
    try {
      await opened.sync()
    } finally {
      await opened.close()
    }
  }

  async #write (file: string, upload: Upload, sync: boolean): Promise<void> {
    const opened = await this.#fs.open(file, 'wx').catch((error: unknown) => {
      if (isMissing(error)) rethrowUnmounted(error)
      throw error
    })
    const write = async () => {
      const bytes = Buffer.from(JSON.stringify(upload))
      await writeAll(opened, { position: 0 }, [bytes], bytes.length)
      if (sync) await opened.datasync()
    }
    try {
      await write().finally(() => opened.close())
    } catch (error) {
      await this.#fs.unlink(file).catch(unless(isMissing, undefined))
      throw error
    }
  }

  #path (id: string): string {
    return `${this.directory}${path.sep}${id}.json`
  }
}

function rethrowUnmounted (cause: unknown): never {
  throw Object.assign(new Error('The directory is gone', { cause }), { code: 'EIO' })
}

function parseRecord (id: string, text: string): Upload | undefined {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch (cause) {
    throw new DamagedRecord('The record is not JSON', { cause })
  }
  const { id: recordedId, offset } = Object(record) as Partial<Upload>
  return recordedId === id && typeof offset === 'number' ? upgradeRecord(record as Upload) : undefined
}

/** Version 0.1.0 recorded parts by their ids alone, and a complete final upload as `joined`. */
function upgradeRecord (record: Upload): Upload {
  const { parts, joined, ...concatenation } = (record.concatenation ?? {}) as {
    header: string, parts?: string[], joined?: boolean
  }
  if (parts === undefined || joined === undefined) return record
  return { ...record, complete: joined, concatenation: { ...concatenation, parts: parts.map((id) => ({ id })) } }
}

/** The name of a file that is written first and then renamed. */
export function temporaryName (file: string): string {
  return `${file}.${randomBytes(4).toString('hex')}.tmp`
}

/** Matches what `temporaryName` returns. */
export const temporaryNames = /\.[0-9a-f]{8}\.tmp$/
