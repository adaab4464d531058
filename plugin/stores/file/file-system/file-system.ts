/**
 * The file system calls of the file store. They are promises over the callbacks and bare descriptors of `node:fs`, not
 * `node:fs/promises`: a `FileHandle` costs more than the calls made with it. Reading a small file and calling `stat` on
 * another one took half of the CPU time this way (36 µs instead of 78 µs, Node.js 20).
 */
import fs, { type Dir, type Stats } from 'node:fs'
import path from 'node:path'

/** An open file. Only `close` closes it. */
export interface OpenFile {
  /** @returns how many of the bytes the system took */
  writev: (buffers: Buffer[], position: number) => Promise<number>
  /** @returns how many bytes were read; 0 at the end of the file */
  read: (buffer: Buffer, position: number) => Promise<number>
  truncate: (length: number) => Promise<void>
  /** Syncs the bytes and the metadata that is needed to find them. */
  datasync: () => Promise<void>
  /** Syncs everything; works for a directory too. */
  sync: () => Promise<void>
  close: () => Promise<void>
}

/** Tests replace it to inject failures, which no real disk produces on demand. */
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
  /** Creates a directory, if missing, and checks that it is writable. */
  prepareDirectory: (directory: string) => void
}

export const fileSystem: FileSystem = {
  open: async (file, flags) => new Descriptor(await call<number>((done) => fs.open(file, flags, done))),
  readFile,
  stat: (file) => call((done) => fs.stat(file, done)),
  access: (file) => call((done) => fs.access(file, done)),
  rename: (from, to) => call((done) => fs.rename(from, to, done)),
  unlink: (file) => call((done) => fs.unlink(file, done)),
  copyFile: (from, to, mode) => call((done) => fs.copyFile(from, to, mode, done)),
  // The default of 32 names at a time makes a sweep over many files expensive.
  opendir: (directory) => call((done) => fs.opendir(directory, { bufferSize: 256 }, done)),
  prepareDirectory: (directory) => {
    makeDirectory(directory)
    fs.accessSync(directory, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  }
}

/**
 * One level at a time: `recursive` of Node.js never returns if the system reports ENOENT for a directory whose parent
 * exists, as it does in `/proc`.
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
    // Another process may have created it in the meantime.
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
    // The number may be reused for another file.
    this.#fd = -1
    return call((done) => fs.close(fd, done))
  }
}

/** The size of the first read, in bytes: most records are smaller. */
const FIRST_READ_BYTES = 2048

/** Unlike `fs.readFile`, without a call for the size first. */
async function readFile (file: string): Promise<string> {
  const opened = await fileSystem.open(file, 'r')
  try {
    let buffer = Buffer.allocUnsafe(FIRST_READ_BYTES)
    let length = 0
    // Some file systems return fewer bytes than exist; all of them return none at the end.
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
