import { constants } from 'node:fs'
import { isMissing, unless } from './file-errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { temporaryName } from './records.ts'
import { type Cursor, writeAll } from './write-all.ts'

/** How much of a file is in memory at a time, in bytes. */
const COPY_BYTES = 4 * 1024 * 1024

export interface JoinOptions {
  /** Whether the bytes must survive a crash of the machine. */
  flush: boolean
  /** Ends the joining with its reason. */
  signal?: AbortSignal | undefined
}

/** A file, and how many of its bytes count. */
export interface Part {
  file: string
  bytes: number
}

/**
 * Makes one file out of one or more, beside its place, and renames it: it is there whole or not at all.
 * @throws EIO where a file has fewer bytes than it should
 */
export async function joinFiles (fs: FileSystem, parts: Part[], file: string, options: JoinOptions): Promise<void> {
  const beside = temporaryName(file)
  try {
    await join(fs, parts, beside, options)
    await fs.rename(beside, file)
  } catch (error) {
    await fs.unlink(beside).catch(unless(isMissing, undefined))
    throw error
  }
}

/**
 * The first one is copied by the system, which shares its blocks where the file system can (Btrfs, XFS, APFS) and does
 * not show the bytes to this process; Node.js has no such call to add another file to it, so the others go through one
 * buffer.
 */
async function join (fs: FileSystem, parts: Part[], file: string, { flush, signal }: JoinOptions): Promise<void> {
  const [first, ...rest] = parts as [Part, ...Part[]]
  await fs.copyFile(first.file, file, constants.COPYFILE_FICLONE)
  const target = await fs.open(file, 'r+')
  try {
    // What is behind its last verified byte does not belong to a part.
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
    if (flush) await target.datasync()
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
    if (bytesRead === 0) throw Object.assign(new Error('A part is shorter than it was'), { code: 'EIO' })
    await writeAll(target, cursor, [buffer.subarray(0, bytesRead)], bytesRead)
    copied += bytesRead
  }
}
