import nodeFs from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { FileSystem } from './records.ts'

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
 * Makes one file out of one or more. The first one is copied by the system, which shares its blocks where the file
 * system can (Btrfs, XFS, APFS) and does not show the bytes to this process; Node.js has no such call to add another
 * file to it, so the others go through one buffer.
 * @throws EIO where a file has fewer bytes than it should
 */
export async function joinFiles (
  { promises: fs }: FileSystem, parts: Part[], target: string, { flush, signal }: JoinOptions
): Promise<void> {
  const [first, ...rest] = parts as [Part, ...Part[]]
  await fs.copyFile(first.file, target, nodeFs.constants.COPYFILE_FICLONE)
  const handle = await fs.open(target, 'r+')
  try {
    // What is behind its last verified byte does not belong to a part.
    await handle.truncate(first.bytes)
    let position = first.bytes
    for (const { file, bytes } of rest) {
      const source = await fs.open(file, 'r')
      try {
        await copyInto(handle, position, source, bytes, signal)
      } finally {
        await source.close()
      }
      position += bytes
    }
    if (flush) await handle.datasync()
  } finally {
    await handle.close()
  }
}

async function copyInto (
  target: FileHandle, position: number, source: FileHandle, bytes: number, signal: AbortSignal | undefined
): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BYTES, bytes))
  for (let copied = 0; copied < bytes;) {
    signal?.throwIfAborted()
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, bytes - copied), copied)
    if (bytesRead === 0) throw Object.assign(new Error('A part is shorter than it was'), { code: 'EIO' })
    await writeFully(target, buffer.subarray(0, bytesRead), position + copied)
    copied += bytesRead
  }
}

/** A disk that fills up takes a part; the next call tells why. */
async function writeFully (target: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let written = 0; written < buffer.length;) {
    const { bytesWritten } = await target.write(buffer, written, buffer.length - written, position + written)
    written += bytesWritten
  }
}
