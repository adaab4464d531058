import { constants } from 'node:fs'
import { isMissing, unless } from './file-system/file-errors.ts'
import type { FileSystem, OpenFile } from './file-system/file-system.ts'
import { temporaryName } from './records.ts'
import { type Cursor, writeAll } from './file-system/write-all.ts'

/** How much of a file is held in memory at a time, in bytes. */
const COPY_BYTES = 4 * 1024 * 1024

export interface ConcatenateOptions {
  /** Whether the bytes must survive a crash of the machine. */
  sync: boolean
  /** Once aborted, the copy stops and rejects with its reason. */
  signal?: AbortSignal | undefined
}

/** A file, and how many of its bytes count. */
export interface Part {
  file: string
  bytes: number
}

/**
 * Concatenates one or more files. The result is written under a temporary name and renamed: it exists completely or not
 * at all.
 * @throws EIO if a file has fewer bytes than it should
 */
export async function concatenateFiles (
  fs: FileSystem, parts: Part[], file: string, options: ConcatenateOptions
): Promise<void> {
  const temporary = temporaryName(file)
  try {
    await concatenate(fs, parts, temporary, options)
    await fs.rename(temporary, file)
  } catch (error) {
    await fs.unlink(temporary).catch(unless(isMissing, undefined))
    throw error
  }
}

/**
 * The kernel copies the first file, sharing its blocks if the file system supports that (Btrfs, XFS, APFS). Node.js has
 * no such call that appends to a file, so the others are copied through one buffer.
 */
async function concatenate (
  fs: FileSystem, parts: Part[], file: string, { sync, signal }: ConcatenateOptions
): Promise<void> {
  const [first, ...rest] = parts as [Part, ...Part[]]
  await fs.copyFile(first.file, file, constants.COPYFILE_FICLONE)
  const target = await fs.open(file, 'r+')
  try {
    // Bytes after the last verified one do not belong to a part.
    await target.truncate(first.bytes)
    const cursor = { position: first.bytes }
    for (const part of rest) {
      const source = await fs.open(part.file, 'r')
      try {
        await copyInto(target, cursor, source, part.bytes, signal)
      } finally {
        await source.close()
      }
    }
    if (sync) await target.datasync()
  } finally {
    await target.close()
  }
}

async function copyInto (
  target: OpenFile, cursor: Cursor, source: OpenFile, bytes: number, signal: AbortSignal | undefined
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, bytes))
  for (let copied = 0; copied < bytes;) {
    signal?.throwIfAborted()
    const bytesRead = await source.read(buffer.subarray(0, bytes - copied), copied)
    if (bytesRead === 0) throw Object.assign(new Error('A part has lost bytes'), { code: 'EIO' })
    await writeAll(target, cursor, [buffer.subarray(0, bytesRead)], bytesRead)
    copied += bytesRead
  }
}
