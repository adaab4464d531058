import { errors } from '../../../errors.ts'
import { type Bucket, ConditionFailed, type Condition } from './bucket.ts'
import { CHECK, newName } from './keys.ts'

/**
 * Checks that a bucket can be used, and that it honours the conditions of writes, on which the safety of uploads with
 * several processes rests. Some servers ignore them.
 * @throws FST_TUS_BUCKET
 */
export async function checkBucket (bucket: Bucket): Promise<void> {
  const isHonoured = await tryBucket(bucket, `${CHECK}${newName()}`).catch(({ cause }: Error) => {
    throw problem(bucket, explain(cause), cause)
  })
  if (!isHonoured) throw problem(bucket, 'the server ignores If-Match or If-None-Match; see conditionalWrites')
}

/** @returns whether conditions are honoured, as far as the store needs them */
async function tryBucket (bucket: Bucket, key: string): Promise<boolean> {
  const etag = await bucket.put(key, Buffer.from('1'))
  const isHonoured = !bucket.isConditional || (
    await isRefused(bucket, key, { isNew: true }) &&
    await isRefused(bucket, key, { etag: '"00000000000000000000000000000000"' }) &&
    !await isRefused(bucket, key, { etag })
  )
  await bucket.delete(key)
  return isHonoured
}

async function isRefused (bucket: Bucket, key: string, condition: Condition): Promise<boolean> {
  return await bucket.put(key, Buffer.from('3'), condition).then(() => false, (error: unknown) => {
    if (error instanceof ConditionFailed) return true
    throw error
  })
}

const explanations: Record<string, string> = {
  NoSuchBucket: 'the bucket does not exist',
  AccessDenied: 'the credentials do not allow to read, write and delete objects',
  InvalidAccessKeyId: 'the access key is unknown',
  SignatureDoesNotMatch: 'the secret key is wrong',
  RequestTimeTooSkewed: 'the clock of this machine is wrong',
  CredentialsProviderError: 'no credentials found',
  PermanentRedirect: 'the bucket is in another region'
}

function explain (error: unknown): string {
  const { name, code, message } = error as Error & { code?: string }
  return explanations[name] ?? (code === undefined ? `${name}: ${message}` : `the server cannot be reached (${code})`)
}

function problem ({ name }: Bucket, text: string, cause?: unknown): Error {
  return new errors.Bucket(name, text, { cause })
}
