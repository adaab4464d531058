/** The entry point `fastify-tus/s3`. */
export { S3Store } from './s3-store.ts'
export type { S3StoreOptions } from './options.ts'
export type { ObjectProperties } from './bucket/bucket.ts'
