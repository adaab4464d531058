import { DemoError } from '../errors.ts'
import { mebibytes, Progress } from '../progress.ts'
import type { Output } from '../progress.ts'
import type { Source } from '../source.ts'
import type { Steps } from '../steps.ts'
import { askOffset, transfer } from '../transfer.ts'
import type { Slice, Watcher } from './round-robin.ts'
import type { ClusterServer } from './servers.ts'

/** Sends a file to a cluster, and kills each server in the middle of a slice. */
export class ClusterUpload implements Watcher<ClusterServer> {
  #source: Source
  #servers: ClusterServer[]
  #steps: Steps
  #output: Output
  #progress: Progress
  #url = ''
  /** Bytes that a server has acknowledged. */
  #accepted = 0
  /** The name of the server that took the last request. */
  #last = ''
  /** The names of the servers that took the slices since the last kill. */
  #takers: string[] = []
  #killed: ClusterServer[] = []
  /** Resolves once the server that was killed last runs again. */
  #restarted: Promise<void> = Promise.resolve()

  constructor (source: Source, servers: ClusterServer[], steps: Steps, output: Output) {
    this.#source = source
    this.#servers = servers
    this.#steps = steps
    this.#output = output
    this.#progress = new Progress(output, source.size)
  }

  /**
   * Sends the file. Resolves with the URL of the upload.
   * @throws DemoError if any step has an unexpected result
   */
  async send (endpoint: string): Promise<string> {
    this.#steps.say(`Sending in slices of ${mebibytes(this.#sliceSize)}, each to the next server`)
    let victim = await this.#sendUntilKill({ endpoint })
    while (victim !== undefined) {
      this.#restarted = this.#restart(victim)
      const [next] = await Promise.all([this.#resume(), this.#restarted])
      victim = next
    }
    return this.#url
  }

  onRequest ({ name }: ClusterServer, method: string): void {
    this.#last = name
    if (method === 'PATCH') this.#takers.push(name)
  }

  /** Kills the server if enough of the file is sent, and if it has not been killed before. */
  async onHalf (server: ClusterServer, { start, half }: Slice): Promise<void> {
    const isDue = start / this.#source.size >= (this.#killed.length + 1) / (this.#servers.length + 1)
    if (!isDue || this.#killed.includes(server)) return
    // Only one server is missing at a time.
    await this.#restarted
    this.#killed.push(server)
    await server.kill()
    this.#reportSlices()
    this.#steps.say(`Killed ${server.name} (SIGKILL) in the middle of a slice, after ${mebibytes(start + half)}`)
    this.#steps.note(`acknowledged before: ${mebibytes(this.#accepted)}`)
  }

  get #sliceSize (): number {
    return Math.ceil(this.#source.size / 16)
  }

  /** Resolves with the server that was killed, or with `undefined` if the file is sent. */
  async #sendUntilKill (
    target: { endpoint: string } | { uploadUrl: string }, offset = 0
  ): Promise<ClusterServer | undefined> {
    const kills = this.#killed.length
    this.#progress = new Progress(this.#output, this.#source.size, offset)
    try {
      await transfer({
        ...target,
        source: this.#source,
        sliceSize: this.#sliceSize,
        onUrl: url => { this.#url = url },
        onAccepted: bytes => { this.#accepted = bytes },
        onProgress: bytes => { this.#progress.update(bytes) }
      })
    } catch (error) {
      this.#progress.end()
      if (this.#killed.length === kills) throw new DemoError(`The upload failed: ${(error as Error).message}`)
      return this.#killed.at(-1)
    }
    this.#reportSlices()
  }

  async #resume (): Promise<ClusterServer | undefined> {
    const offset = await askOffset(this.#url)
    this.#steps.note(`${this.#last} has ${mebibytes(offset)} (Upload-Offset: ${offset}): resuming there`)
    if (offset < this.#accepted) throw new DemoError(`Bytes lost: the servers had acknowledged ${this.#accepted}`)
    return await this.#sendUntilKill({ uploadUrl: this.#url }, offset)
  }

  async #restart (server: ClusterServer): Promise<void> {
    const description = await server.start()
    this.#progress.end()
    this.#steps.note(`restarted ${description}`)
  }

  #reportSlices (): void {
    this.#progress.end()
    this.#steps.note(`slices taken by ${this.#takers.join(' ')}`)
    this.#takers = []
  }
}
