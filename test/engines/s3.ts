import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CreateBucketCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import type { Test } from 'tap'
import { type Engine, startEngine } from './engine.ts'
import { programOf } from './programs.js'

export type S3EngineName = 'versitygw' | 'seaweedfs' | 'minio'

export interface S3Engine extends Engine {
  readonly name: S3EngineName
  readonly endpoint: string
  /** For a client of this engine; `endpoint` may be that of a proxy in front of it. */
  clientConfig (endpoint?: string): S3ClientConfig
  /** Creates a bucket. */
  createBucket (name?: string): Promise<string>
}

const KEY = 'testkey'
const SECRET = 'testsecret'

interface Recipe {
  args: (port: number, directory: string) => string[]
  env?: NodeJS.ProcessEnv
}

const recipes: Record<S3EngineName, Recipe> = {
  versitygw: {
    // The attributes of objects are files: not every file system has extended attributes.
    args: (port, directory) => [
      '--port', `127.0.0.1:${port}`, 'posix', '--sidecar', folderIn(directory, 'sidecar'), folderIn(directory, 'data')
    ],
    env: { ROOT_ACCESS_KEY: KEY, ROOT_SECRET_KEY: SECRET }
  },
  seaweedfs: {
    args: (port, directory) => [
      'mini', `-dir=${folderIn(directory, 'data')}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1', `-s3.port=${port}`,
      `-s3.config=${identitiesIn(directory)}`
    ]
  },
  minio: {
    args: (port, directory) => [
      'server', '--address', `127.0.0.1:${port}`, '--console-address', '127.0.0.1:0', folderIn(directory, 'data')
    ],
    env: { MINIO_ROOT_USER: KEY, MINIO_ROOT_PASSWORD: SECRET }
  }
}

/** Starts an empty S3 server. */
export async function startS3 (t: Test, name: S3EngineName = 'versitygw'): Promise<S3Engine> {
  const engine = await startEngine(t, {
    program: programOf(name) as string,
    ...recipes[name],
    // It may accept connections before it can answer.
    isReady: async (port) => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status === 403
  })
  const endpoint = `http://127.0.0.1:${engine.port}`
  const clientConfig = (to = endpoint): S3ClientConfig => ({
    endpoint: to,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: KEY, secretAccessKey: SECRET }
  })
  return Object.assign(engine, {
    name,
    endpoint,
    clientConfig,
    async createBucket (bucket = 'uploads') {
      const client = new S3Client(clientConfig())
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
      client.destroy()
      return bucket
    }
  })
}

function folderIn (directory: string, name: string): string {
  const folder = path.join(directory, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

function identitiesIn (directory: string): string {
  const file = path.join(directory, 'identities.json')
  const credentials = [{ accessKey: KEY, secretKey: SECRET }]
  writeFileSync(file, JSON.stringify({ identities: [{ name: 'test', credentials, actions: ['Admin'] }] }))
  return file
}
