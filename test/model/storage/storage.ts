import type { S3ClientConfig } from '@aws-sdk/client-s3'

/** What a server process needs to serve a storage; it is sent as JSON. */
export type Served = ServedDirectory | ServedBucket

export interface ServedDirectory {
  /** The file of notes about hook calls. */
  notes: string
  directory: string
  /** Whether other processes serve the directory, too. */
  isShared: boolean
}

export interface ServedBucket {
  notes: string
  bucket: string
  /** The beginning of all names in the bucket and in Redis. */
  prefix: string
  clientConfig: S3ClientConfig
  /** The port of the Redis that has the locks. `undefined`: each process has locks of its own. */
  redis: number | undefined
}

/** An upload as it is stored. */
export interface Stored {
  /** Differs once the bytes have changed. */
  version: string
  read (): Promise<Buffer>
}

/** Where the servers of one run keep its uploads: what a test finds there, past the servers. */
export interface Storage {
  readonly served: Served
  /** Whether requests for an upload exclude each other, also those to different processes. */
  readonly isExclusive: boolean
  /** Whether a process may know an upload as it was before another process has changed it. */
  readonly mayBeOutdated: boolean
  /** The uploads by id, and the ids of the records: a crash may leave an upload without a record, and vice versa. */
  look (): Promise<{ uploads: Map<string, Stored>, records: string[] }>
  /** The names of everything that is left once every sweep, however rare, has run. */
  names (): Promise<string[]>
  /** The names of the parts of a finished upload. */
  namesOf (id: string): string[]
}

/** Makes an empty storage. */
export type NewStorage = (name: string) => Promise<Storage>
