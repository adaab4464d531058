import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { FileStore } from '../../plugin/index.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { build } from '../helper.ts'
import { read } from './reader.ts'

/** An app with growing downloads, read over real connections. */
export async function rig (
  t: Test, options: FastifyTusOptions = {}, prepare: (app: FastifyInstance) => void | Promise<void> = () => {}
) {
  const built = await build(t, { download: { growing: true }, ...options }, {}, prepare)
  const base = await built.listen()
  return { ...built, base, read: (url: string, headers = {}) => read(t, `${base}${url}`, headers) }
}

/** A file store that counts how often uploads are polled and read. */
export class CountingStore extends FileStore {
  readonly polls = new Map<string, number>()
  reads = 0

  override async getUpload (id: string) {
    this.polls.set(id, (this.polls.get(id) ?? 0) + 1)
    return await super.getUpload(id)
  }

  override read (id: string, range?: { start: number, end: number }) {
    this.reads++
    return super.read(id, range)
  }
}
