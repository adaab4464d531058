/** The servers that uploads on S3 use: versitygw, a proxy in front of it that counts and delays requests, and Redis. */
import path from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { layouts } from './layouts.ts'
import { nodePeer, type Peer } from './peers.ts'
import { BUCKET } from './s3-peers.ts'
import { type ServerProcess, withServers } from './server-process.ts'
import { newDirectory } from './workspace.ts'
import { programOf } from '../src/demo/engines/programs.ts'
import { type Recipe, redisRecipe, s3ClientConfig, versitygwRecipe } from '../src/demo/engines/recipes.ts'

const engines = ['versitygw', 'redis'] as const
type Engine = (typeof engines)[number]

/** The engines that are not installed. */
export const missingEngines = engines.filter((engine) => programOf(engine) === undefined)

export interface Engines {
  s3: ServerProcess
  proxy: ServerProcess
  redis: ServerProcess
  /** The file with the bytes of an object. */
  fileOf: (key: string) => string
}

/** Runs `work` with an empty bucket and an empty Redis. */
export async function withEngines<T> (work: (engines: Engines) => Promise<T>): Promise<T> {
  const peers = [enginePeer('versitygw', versitygwRecipe), enginePeer('redis', redisRecipe)]
  return await withServers(peers, async ([s3, redis]) => {
    if (s3 === undefined || redis === undefined) throw new Error('the engines did not start')
    await createBucket(s3.port)
    const fileOf = (key: string): string => path.join(s3.directory, 'data', BUCKET, key)
    return await withServers([proxyPeer], async ([proxy]) => {
      return await work({ s3, proxy: proxy as ServerProcess, redis, fileOf })
    }, newDirectory, { s3: s3.port })
  })
}

const proxyPeer = nodePeer('the proxy', process.version, 's3-proxy', layouts.none)

function enginePeer (engine: Engine, { args, env = {} }: Recipe): Peer {
  return {
    name: engine,
    version: '',
    path: '',
    layout: layouts.none,
    isNode: false,
    env,
    command: (directory, port) => [programOf(engine) as string, ...args(port, directory)]
  }
}

async function createBucket (port: number): Promise<void> {
  const client = new S3Client(s3ClientConfig(`http://127.0.0.1:${port}`))
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
  client.destroy()
}
