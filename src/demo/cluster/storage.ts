import type { Readable } from 'node:stream'
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { programOf, reasonWithout } from '../engines/programs.ts'
import { folderIn, KEY, redisRecipe, REGION, s3ClientConfig, SECRET, versitygwRecipe } from '../engines/recipes.ts'
import { startOnFreePort } from '../engines/start.ts'
import { DemoError } from '../errors.ts'

const bucket = 'videos'
const prefix = 'uploads/'

/** A part of what the servers share. */
interface Shared {
  /** For the output. */
  description: string
  /** The settings of a server that uses it. */
  settings: NodeJS.ProcessEnv
}

export interface SharedBucket extends Shared {
  /** The name of the object of an upload. */
  keyOf (id: string): string
  read (id: string): Promise<Readable>
}

/**
 * Starts an S3 server with an empty bucket.
 * @throws DemoError if the program is not installed
 */
export async function startBucket (workplace: string): Promise<SharedBucket> {
  const program = programOf('versitygw')
  if (program === undefined) throw new DemoError(reasonWithout('versitygw'))
  const { child, port } = await startOnFreePort({ program, ...versitygwRecipe }, folderIn(workplace, 's3'))
  const endpoint = `http://127.0.0.1:${port}`
  // Its warning about Node.js 20 would be printed between the steps.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'
  const client = new S3Client(s3ClientConfig(endpoint))
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  const keyOf = (id: string) => `${prefix}${id}`
  return {
    description: `versitygw, an S3 server, process ${child.pid}, ${endpoint}`,
    settings: {
      S3_BUCKET: bucket,
      S3_ENDPOINT: endpoint,
      S3_REGION: REGION,
      S3_PREFIX: prefix,
      S3_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: KEY,
      AWS_SECRET_ACCESS_KEY: SECRET,
      // Those of the user would take precedence, or be sent too.
      AWS_PROFILE: '',
      AWS_SESSION_TOKEN: ''
    },
    keyOf,
    async read (id) {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(id) }))
      return body as Readable
    }
  }
}

/** Starts a Redis for the locks. Without the program, each server keeps its own locks. */
export async function startLocks (workplace: string): Promise<Shared> {
  const program = programOf('redis')
  if (program === undefined) {
    const reason = reasonWithout('redis')
    return { description: `no Redis: the conditional writes of S3 alone protect the upload (${reason})`, settings: {} }
  }
  const { child, port } = await startOnFreePort({ program, ...redisRecipe }, folderIn(workplace, 'redis'))
  const url = `redis://127.0.0.1:${port}`
  return {
    description: `Redis, for the locks, process ${child.pid}, ${url}; locks of a dead server expire after 2 s`,
    settings: { REDIS_URL: url, LOCK_TTL_MS: '2000' }
  }
}
