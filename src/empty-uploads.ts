import type { FastifyInstance } from 'fastify'
import type { Config } from './config.ts'
import type { ListedFileStore } from './listed-store.ts'

/**
 * Deletes finished uploads of 0 bytes once they are as old as the expiration of unfinished ones. Finished uploads do
 * not expire otherwise: each of these costs a client a single request, and would stay forever.
 */
export function deleteEmptyUploads (
  fastify: FastifyInstance,
  store: ListedFileStore,
  { expiration, sweepInterval }: Pick<Config, 'expiration' | 'sweepInterval'>
): void {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let isClosing = false

  async function run (): Promise<void> {
    try {
      let count = 0
      for (const id of await store.uploads.emptyBefore(Date.now() - expiration)) {
        if (isClosing) return
        count += await remove(id)
      }
      if (count > 0) fastify.log.info({ count }, 'empty uploads deleted')
    } catch (err) {
      fastify.log.error({ err }, 'empty uploads not deleted')
    }
    if (sweepInterval > 0 && !isClosing) timer = setTimeout(() => { running = run() }, sweepInterval).unref()
  }

  /** A failure does not affect the others. */
  async function remove (id: string): Promise<number> {
    try {
      await store.remove(id)
      return 1
    } catch (err) {
      fastify.log.warn({ err, uploadId: id }, 'empty upload not deleted')
      return 0
    }
  }

  fastify.addHook('onReady', async () => { running = run() })
  fastify.addHook('preClose', async () => {
    isClosing = true
    clearTimeout(timer)
    await running
  })
}
