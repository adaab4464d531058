import { constants, type Dir } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { type FileSystem, fileSystem, type OpenFile } from '../../plugin/stores/file/file-system/file-system.ts'

type Range = [start: number, end: number]

/** The bytes of a file that are not on disk, as far as the system can know. */
interface Contents {
  /** Written, and not synced yet. */
  dirty: Range[]
  /** The part of them that a failed sync dropped: the system does not report it again. */
  lost: Range[]
  failedFlushes: number
}

/** The codes with which calls fail; all others fail with EIO. */
const codes: Record<string, string[]> = {
  open: ['EMFILE', 'EIO', 'ENOSPC'],
  readFile: ['EMFILE', 'EIO'],
  writev: ['ENOSPC', 'EIO'],
  copyFile: ['ENOSPC', 'EIO', 'EMFILE'],
  rename: ['EIO', 'ENOSPC']
}

/**
 * A file system on top of the real one, whose calls fail now and then, until it stops as if the process had been killed
 * between two of them. It knows which bytes a power failure would have lost.
 */
export class FailingDisk {
  /** The probability that a call fails, from 0 to 1. */
  rate = 0
  /** The number of calls until the process is killed. */
  callsToLive = Infinity
  calls = 0
  faults = 0
  isDead = false
  /** Resolves when the process is killed. */
  died = Promise.resolve()
  readonly fs: FileSystem
  readonly #random: () => number
  readonly #contents = new Map<string, Contents>()
  readonly #open = new Set<OpenFile>()
  readonly #directories = new Set<Dir>()
  #inFlight = 0
  #die = () => {}

  constructor (random: () => number) {
    this.#random = random
    const call = this.#call.bind(this)
    this.fs = {
      ...fileSystem,
      readFile: (file) => call('readFile', () => fileSystem.readFile(file)),
      stat: (file) => call('stat', () => fileSystem.stat(file)),
      access: (file) => call('access', () => fileSystem.access(file)),
      opendir: (name) => call('opendir', async () => {
        const directory = await fileSystem.opendir(name)
        this.#directories.add(directory)
        return directory
      }),
      unlink: (file) => call('unlink', async () => {
        await fileSystem.unlink(file)
        this.#contents.delete(file)
      }),
      rename: (from, to) => call('rename', async () => {
        await fileSystem.rename(from, to)
        this.#contents.set(to, this.#contentsOf(from)).delete(from)
      }),
      copyFile: (from, to) => call('copyFile', async () => {
        await fileSystem.copyFile(from, to, constants.COPYFILE_EXCL)
        this.#contentsOf(to).dirty = [[0, (await stat(to)).size]]
      }),
      open: (name, flags) => call('open', async () => {
        const file = await fileSystem.open(name, flags)
        this.#open.add(file)
        return this.#failing(file, this.#contentsOf(name))
      })
    }
    this.#begin()
  }

  get openFiles (): number {
    return this.#open.size
  }

  /** Starts a new process once the pending calls of the old one have ended. */
  async restart (): Promise<void> {
    // A kill between a failed sync and the following truncation would hide the failure from any later process.
    if (this.isDead) for (const contents of this.#contents.values()) contents.lost = []
    this.isDead = true
    while (this.#inFlight > 0) await setImmediate()
    await Promise.all([...this.#open].map((file) => file.close()))
    this.#open.clear()
    // A stream that was read to its end is closed.
    for (const directory of this.#directories) await directory.close().catch(() => {})
    this.#directories.clear()
    this.#begin()
  }

  failedFlushes (file: string): number {
    return this.#contentsOf(file).failedFlushes
  }

  /** Whether some of the first bytes of a file would not survive a power failure. */
  isUnsure (file: string, bytes: number): boolean {
    const { dirty, lost } = this.#contentsOf(file)
    return [...dirty, ...lost].some(([start]) => start < bytes)
  }

  #begin (): void {
    this.isDead = false
    this.callsToLive = Infinity
    this.died = new Promise((resolve) => { this.#die = resolve })
  }

  #contentsOf (file: string): Contents {
    const known = this.#contents.get(file) ?? { dirty: [], lost: [], failedFlushes: 0 }
    this.#contents.set(file, known)
    return known
  }

  async #call<T> (name: string, work: () => Promise<T>): Promise<T> {
    this.calls++
    if (--this.callsToLive <= 0) this.isDead = true
    if (this.isDead) return await this.#never()
    if (this.#random() < this.rate) {
      this.faults++
      const some = codes[name] ?? ['EIO']
      const code = some[Math.floor(this.#random() * some.length)] as string
      // A file is closed even if the call fails.
      if (name === 'close') await work()
      throw Object.assign(new Error(`${code}: ${name}`), { code })
    }
    this.#inFlight++
    const result = await work().finally(() => { this.#inFlight-- })
    return this.isDead ? await this.#never() : result
  }

  async #never (): Promise<never> {
    this.#die()
    return await new Promise<never>(() => {})
  }

  #failing (file: OpenFile, contents: Contents): OpenFile {
    const call = this.#call.bind(this)
    return {
      read: (buffer, position) => call('read', () => file.read(buffer, position)),
      sync: () => call('sync', () => file.sync()),
      close: () => call('close', async () => {
        this.#open.delete(file)
        await file.close()
      }),
      writev: (buffers, position) => call('writev', async () => {
        const bytes = Buffer.concat(buffers)
        // Now and then the system writes less than it is given.
        const taken = this.#random() < this.rate ? Math.ceil(bytes.length / 2) : bytes.length
        const written: Range = [position, position + await file.writev([bytes.subarray(0, taken)], position)]
        contents.lost = without(contents.lost, written)
        contents.dirty = [...without(contents.dirty, written), written]
        return written[1] - written[0]
      }),
      truncate: (length) => call('truncate', async () => {
        await file.truncate(length)
        contents.dirty = without(contents.dirty, [length, Infinity])
        contents.lost = without(contents.lost, [length, Infinity])
      }),
      datasync: async () => {
        const flushed = contents.dirty
        try {
          await call('datasync', () => file.datasync())
          contents.dirty = contents.dirty.filter((range) => !flushed.includes(range))
        } catch (error) {
          contents.failedFlushes++
          contents.lost.push(...contents.dirty)
          contents.dirty = []
          throw error
        }
      }
    }
  }
}

function without (ranges: Range[], [from, to]: Range): Range[] {
  return ranges
    .flatMap(([start, end]): Range[] => [[start, Math.min(end, from)], [Math.max(start, to), end]])
    .filter(([start, end]) => start < end)
}
