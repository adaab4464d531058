import path from 'node:path'
import type { Readable } from 'node:stream'
import Fastify, { type FastifyInstance } from 'fastify'
import tus, { type Durability, FileStore, type Upload } from '../../plugin/index.ts'
import type { FailingDisk } from './failing-disk.ts'
import type { MaybeResponse } from './known.ts'

interface Options {
  directory: string
  durability: Durability
  exclusive: boolean
}

/** An app with the plugin on a failing disk, which can be restarted. */
export class FaultyServer {
  readonly problems: string[] = []
  /** The uploads whose finish hook ran, in any process. */
  readonly finished = new Set<string>()
  kills = 0
  store!: FileStore
  #app!: FastifyInstance
  readonly #disk: FailingDisk
  readonly #options: Options

  constructor (disk: FailingDisk, options: Options) {
    this.#disk = disk
    this.#options = options
  }

  async start (): Promise<void> {
    const { directory, durability } = this.#options
    this.store = new FileStore({ ...this.#options, fs: this.#disk.fs })
    const finishedNow = new Set<string>()
    const onUploadFinish = (_request: unknown, { id }: Upload) => {
      if (finishedNow.has(id)) this.problems.push(`the finish hook of ${id} ran twice in one process`)
      finishedNow.add(id)
      this.finished.add(id)
      const isUnsure = durability !== 'none' && this.#disk.isUnsure(path.join(directory, id), Infinity)
      if (isUnsure) this.problems.push(`${id} is finished and not on disk`)
    }
    // If it cannot be recorded that the hook has run, it runs again.
    const write = (line: string) => {
      const { msg, uploadId } = JSON.parse(line) as { msg: string, uploadId?: string }
      if (uploadId !== undefined && msg.startsWith('finished upload not recorded')) finishedNow.delete(uploadId)
    }
    this.#app = Fastify({ logger: { level: 'error', stream: { write } } }) as FastifyInstance
    const options = { prefix: '/files', idleTimeout: 0, lockTimeout: 2000, onUploadFinish }
    await this.#app.register(tus, { ...options, datastore: this.store })
    await this.#app.ready()
  }

  /** Closes the app unless it was killed before, and starts it again. */
  async restart (): Promise<void> {
    await Promise.race([this.close(), this.#disk.died])
    if (this.#disk.isDead) this.kills++
    await this.#disk.restart()
    await this.start()
  }

  async close (): Promise<void> {
    await this.#app.close()
    const { isDead, openFiles } = this.#disk
    if (!isDead && openFiles > 0) this.problems.push(`${openFiles} files are open after the app has closed`)
  }

  /** @returns `undefined` if the process was killed meanwhile, or if a fault ended the response in the middle */
  async ask (
    method: string, url: string, headers: Record<string, string> = {}, payload?: Buffer | Readable
  ): Promise<MaybeResponse> {
    const faults = this.#disk.faults
    const response = await Promise.race([this.#app.inject({
      method: method as 'GET', url, headers: { 'tus-resumable': '1.0.0', ...headers }, ...payload ? { payload } : {}
    }), this.#disk.died]).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'LIGHT_ECONNRESET' || this.#disk.faults === faults) throw error
    }) as MaybeResponse
    if (response?.statusCode === 500) this.problems.push(`${method} ${url}: ${response.body}`)
    return response
  }
}
