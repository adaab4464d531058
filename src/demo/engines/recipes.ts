import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import type { ProgramOptions } from './start.ts'

/** How a server is started. */
export type Recipe = Omit<ProgramOptions, 'program'>

export const KEY = 'testkey'
export const SECRET = 'testsecret'
export const REGION = 'us-east-1'

/** An S3 server that keeps objects as files. */
export const versitygwRecipe: Recipe = {
  // The attributes of objects are files: not every file system has extended attributes.
  args: (port, directory) => [
    '--port', `127.0.0.1:${port}`, 'posix', '--sidecar', folderIn(directory, 'sidecar'), folderIn(directory, 'data')
  ],
  env: { ROOT_ACCESS_KEY: KEY, ROOT_SECRET_KEY: SECRET },
  isReady: isS3
}

/** A Redis that keeps nothing on disk. */
export const redisRecipe: Recipe = {
  args: (port, directory) => [
    '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory
  ]
}

/** Whether an S3 server responds: it may accept connections before it can. */
export async function isS3 (port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.status === 403
}

/** The configuration of a client of the S3 server. */
export function s3ClientConfig (endpoint: string): S3ClientConfig {
  return {
    endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: KEY, secretAccessKey: SECRET }
  }
}

export function folderIn (directory: string, name: string): string {
  const folder = path.join(directory, name)
  mkdirSync(folder, { recursive: true })
  return folder
}
