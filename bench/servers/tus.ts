/** The `@tus/server` instance of `tus-node.ts` and `tus-fastify.ts`. */
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { answer } from './questions.ts'
import { options } from './serve.ts'

const { directory, expiration } = options
const period = typeof expiration === 'number' ? { expirationPeriodInMilliseconds: expiration } : {}

export const tus = new Server({ path: '/files', datastore: new FileStore({ directory, ...period }) })

answer('sweep', async () => await tus.cleanUpExpiredUploads())
