/**
 * The file system calls that the file store makes. They are promises over the callbacks and bare descriptors of
 * `node:fs`, not `node:fs/promises`: a `FileHandle` costs more than the calls made with it. To read a small file and
 * `stat` another took half of the processor time this way (36 µs instead of 78 µs, Node.js 20).
 */
import fs, { type Dir, type ReadStream, type Stats } from 'node:fs'
import path from 'node:path'

/** An open file. Nothing closes it but `close`. */
export interface OpenFile {
  /** @returns how many of the bytes the system took */
  writev: (buffers: Buffer[], position: number) => Promise<number>
  /** @returns how many bytes were read; 0 at the end of the file */
  read: (buffer: Buffer, position: number) => Promise<number>
  truncate: (length: number) => Promise<void>
  /** Flushes the bytes and what is needed to find them. */
  datasync: () => Promise<void>
  /** Flushes everything; also of a directory. */
  sync: () => Promise<void>
  close: () => Promise<void>
}

export type Opening = <T> (open: () => Promise<T>) => Promise<T>

/** Replaced in tests by one that fails as no real disk does on request. */
export interface FileSystem {
  open: (file: string, flags: 'r' | 'r+' | 'wx' | 'wx+') => Promise<OpenFile>
  /** The text of a small file. */
  readFile: (file: string) => Promise<string>
  stat: (file: string) => Promise<Stats>
  access: (file: string) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  unlink: (file: string) => Promise<void>
  copyFile: (from: string, to: string, mode: number) => Promise<void>
  opendir: (directory: string) => Promise<Dir>
  /** Makes a directory, if missing, and sees that it can be written to. */
  prepareDirectory: (directory: string) => void
  /**
   * From `start` to `end`, both included; without them the whole file.
   * @param opening - calls what opens the file, once or again
   */
  createReadStream: (file: string, range?: { start: number, end: number }, opening?: Opening) => ReadStream
}

export const fileSystem: FileSystem = {
  open: async (file, flags) => new Descriptor(await call<number>((done) => fs.open(file, flags, done))),
  readFile,
  stat: (file) => call((done) => fs.stat(file, done)),
  access: (file) => call((done) => fs.access(file, done)),
  rename: (from, to) => call((done) => fs.rename(from, to, done)),
  unlink: (file) => call((done) => fs.unlink(file, done)),
  copyFile: (from, to, mode) => call((done) => fs.copyFile(from, to, mode, done)),
  // As many names at a time as make a sweep over many files cheap.
  opendir: (directory) => call((done) => fs.opendir(directory, { bufferSize: 256 }, done)),
  prepareDirectory: (directory) => {
    makeDirectory(directory)
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  },
  createReadStream: (file, range, opening = (open) => open()) => fs.createReadStream(file, {
    ...range,
    fs: {
      open: (file: string, flags: string, mode: number, done: Callback<number>) => {
        opening(() => call<number>((done) => fs.open(file, flags, mode, done)))
          .then((fd) => done(null, fd), (error: Error) => done(error, -1))
      },
      read: fs.read,
      close: fs.close
    }
  })
}

/**
 * One after the other: `recursive` of Node.js does not come to an end where the system says ENOENT of a directory whose
 * parent is there, as it does in `/proc`.
 */
function makeDirectory (directory: string): void {
  const parent = path.dirname(directory)
  if (parent !== directory) makeDirectory(parent)
  const stats = statOf(directory)
  if (stats?.isDirectory()) return
  if (stats !== undefined) throw new Error(`${directory} is not a directory`)
  try {
    fs.mkdirSync(directory)
  } catch (error) {
    // Another process may have made it meanwhile.
    if (!statOf(directory)?.isDirectory()) throw error
  }
}

function statOf (file: string): Stats | undefined {
  return fs.statSync(file, { throwIfNoEntry: false })
}

class Descriptor implements OpenFile {
  #fd: number

  constructor (fd: number) {
    this.#fd = fd
  }

  writev (buffers: Buffer[], position: number): Promise<number> {
    return call((done) => fs.writev(this.#fd, buffers, position, done))
  }

  read (buffer: Buffer, position: number): Promise<number> {
    return call((done) => fs.read(this.#fd, buffer, 0, buffer.length, position, done))
  }

  truncate (length: number): Promise<void> {
    return call((done) => fs.ftruncate(this.#fd, length, done))
  }

  datasync (): Promise<void> {
    return call((done) => fs.fdatasync(this.#fd, done))
  }

  sync (): Promise<void> {
    return call((done) => fs.fsync(this.#fd, done))
  }

  close (): Promise<void> {
    const fd = this.#fd
    // Its number will be another file's.
    this.#fd = -1
    return call((done) => fs.close(fd, done))
  }
}

/** How much of a file is asked for first, in bytes: most records are smaller. */
const FIRST_READ_BYTES = 2048

/** Without asking for its size first, as `fs.readFile` does. */
async function readFile (file: string): Promise<string> {
  const opened = await fileSystem.open(file, 'r')
  try {
    let buffer = Buffer.allocUnsafe(FIRST_READ_BYTES)
    let length = 0
    // Some file systems give less than there is, all of them nothing at the end.
    for (let bytes = -1; bytes !== 0; length += bytes) {
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(length * 3)])
      bytes = await opened.read(buffer.subarray(length), length)
    }
    return buffer.toString('utf8', 0, length)
  } finally {
    await opened.close()
  }
}

type Callback<T> = (error: Error | null, value: T) => void

function call<T = void> (start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error) reject(error)
      else resolve(value)
    })
  })
}
