/** The entry point `fastify-tus/s3`. */
export { S3Store, type S3StoreOptions } from './s3-store.ts'
export type { ObjectProperties } from './bucket.ts'
