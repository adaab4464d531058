import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { programOf } from '../../src/demo/engines/programs.ts'
import { isS3, s3ClientConfig } from '../../src/demo/engines/recipes.ts'
import { type Engine, startEngine } from './engine.ts'
import { type S3EngineName, s3Recipes } from './recipes.ts'

export type { S3EngineName } from './recipes.ts'

export interface S3Engine extends Engine {
  readonly name: S3EngineName
  readonly endpoint: string
  /** For a client of this engine; `endpoint` may be that of a proxy in front of it. */
  clientConfig (endpoint?: string): S3ClientConfig
  /** Creates a bucket. */
  createBucket (name?: string): Promise<string>
}

/** Starts an empty S3 server. */
export async function startS3 (t: Test, name: S3EngineName = 'versitygw'): Promise<S3Engine> {
  const engine = await startEngine(t, {
    program: programOf(name) as string,
    isReady: isS3,
    ...s3Recipes[name]
  })
  const endpoint = `http://127.0.0.1:${engine.port}`
  return Object.assign(engine, {
    name,
    endpoint,
    clientConfig: (to = endpoint) => s3ClientConfig(to),
    async createBucket (bucket = 'uploads') {
      const client = new S3Client(s3ClientConfig(endpoint))
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      client.destroy()
      return bucket
    }
  })
}
