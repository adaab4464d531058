/** How servers are started that the tests and the benchmark need, in a directory of their own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { S3ClientConfig } from '@aws-sdk/client-s3'

export type S3EngineName = 'versitygw' | 'seaweedfs' | 'minio'

export interface Recipe {
  /** The arguments of the program. `directory` exists. */
  args: (port: number, directory: string) => string[]
  env?: NodeJS.ProcessEnv
}

export const KEY = 'testkey'
export const SECRET = 'testsecret'
export const REGION = 'us-east-1'

export const s3Recipes: Record<S3EngineName, Recipe> = {
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

/** An empty Redis that keeps nothing on disk. */
export const redisRecipe: Recipe = {
  args: (port, directory) => [
    '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory
  ]
}

/** The configuration of a client of these S3 servers. */
export function s3ClientConfig (endpoint: string): S3ClientConfig {
  return {
    endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: KEY, secretAccessKey: SECRET }
  }
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
