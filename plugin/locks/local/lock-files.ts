import { createHash, randomBytes } from 'node:crypto'
import { access, link, mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** How long to wait for a process that replaces the entry of a dead one, in ms. */
const RETRY_MS = 2

/** Whether a text may be the name of a process. It is a part of paths. */
export function isName (text: unknown): text is string {
  return typeof text === 'string' && /^\w{1,64}$/.test(text)
}

/** The name of the lock of an upload: an id may be too long for a path, or have other characters. */
export function nameOf (id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32)
}

/** Whether the process of a name runs. Names are never used again. */
export type IsAlive = (name: string) => Promise<boolean>

/**
 * Which process owns which lock: a file for each owned lock, which is a hard link to the file of its owner. Creating a
 * link is atomic, also after a crash or a power failure: a link of a dead process is replaced. Only one process may
 * replace it: the one that owns a link with the name of the lock and of the dead process, by the same rules.
 */
export class LockFiles {
  readonly #directory: string
  readonly #self: string
  readonly #isAlive: IsAlive

  constructor (directory: string, self: string, isAlive: IsAlive) {
    this.#directory = directory
    this.#self = self
    this.#isAlive = isAlive
  }

  async open (): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await writeFile(this.#processFile(this.#self), this.#self, { flag: 'wx' })
  }

  /**
   * Takes a lock, unless a process that runs owns it.
   * @returns the owner afterwards
   */
  async take (lock: string): Promise<string> {
    const file = this.#lockFile(lock)
    for (;;) {
      if (await this.#create(file, this.#self)) return this.#self
      const owner = await ownerOf(file)
      if (owner === undefined) continue
      if (owner === this.#self || await this.#isAlive(owner)) return owner
      if (!await this.#replace(lock, owner)) await wait(RETRY_MS)
    }
  }

  /**
   * Makes another process the owner of a lock that this process owns.
   * @returns whether it runs
   */
  async handOver (lock: string, to: string): Promise<boolean> {
    const temporary = path.join(this.#directory, `t-${randomBytes(8).toString('hex')}`)
    if (!await this.#create(temporary, to)) return false
    await rename(temporary, this.#lockFile(lock))
    return true
  }

  /** Gives up a lock that this process owns. */
  async release (lock: string): Promise<void> {
    await unlink(this.#lockFile(lock))
  }

  /** Deletes the files of processes that have ended without closing. What cannot be deleted stays. */
  async clean (): Promise<void> {
    const files = (await readdir(this.#directory)).map((file) => [file.slice(0, 2), file.slice(2)] as const)
    const each = async (kind: string, clean: (name: string) => Promise<void>) => {
      for (const [found, name] of files) if (found === kind) await clean(name).catch(() => {})
    }
    await each('l-', async (lock) => {
      const owner = await ownerOf(this.#lockFile(lock))
      if (owner === undefined || await this.#isAlive(owner)) return
      if (await this.take(lock) === this.#self) await this.release(lock)
    })
    await each('p-', async (name) => {
      if (await this.#isAlive(name)) return
      await unlink(this.#socketFile(name)).catch(ignoreMissing)
      await unlink(this.#processFile(name)).catch(ignoreMissing)
    })
  }

  async close (): Promise<void> {
    await unlink(this.#processFile(this.#self)).catch(ignoreMissing)
  }

  /** @returns whether this process has replaced the dead owner */
  async #replace (lock: string, dead: string): Promise<boolean> {
    const ticket = `${lock}.${dead}`
    if (await this.take(ticket) !== this.#self) return false
    // Another process may have replaced it before.
    const isStale = await ownerOf(this.#lockFile(lock)) === dead
    if (isStale) await this.handOver(lock, this.#self)
    await this.release(ticket)
    return isStale
  }

  /** @returns `false` if the file exists, or the owner has ended */
  async #create (file: string, owner: string): Promise<boolean> {
    try {
      await link(this.#processFile(owner), file)
      return true
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST' || (code === 'ENOENT' && owner !== this.#self)) return false
      if (code !== 'ENOENT') throw error
    }
    // The file of this process was deleted. If its socket is missing too, other processes consider it dead.
    await access(this.#socketFile(owner))
    await writeFile(this.#processFile(owner), owner)
    return await this.#create(file, owner)
  }

  #lockFile (lock: string): string {
    return path.join(this.#directory, `l-${lock}`)
  }

  #socketFile (name: string): string {
    return path.join(this.#directory, `s-${name}`)
  }

  #processFile (name: string): string {
    return path.join(this.#directory, `p-${name}`)
  }
}

/** A name that no process has. */
const INVALID = 'invalid'

/** The owner in a lock file; a file with other contents has a dead one. */
async function ownerOf (file: string): Promise<string | undefined> {
  const owner = await readFile(file, 'utf8').catch(ignoreMissing)
  return owner === undefined || isName(owner) ? owner : INVALID
}

function ignoreMissing (error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
