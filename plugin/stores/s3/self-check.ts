import { errors, isTusError } from '../../errors.ts'
import { type Bucket, ConditionFailed, type Condition } from './bucket.ts'
import { CHECK, newName } from './keys.ts'
import { statusOf } from './retry.ts'

/**
 * Checks that a bucket can be used, and that it honours the conditions of writes, on which the safety of uploads with
 * several processes rests. Some servers ignore them.
 * @throws FST_TUS_BUCKET
 */
export async function checkBucket (bucket: Bucket, isConditional: boolean): Promise<void> {
  const key = `${CHECK}${newName()}`
  try {
    const etag = await bucket.put(key, Buffer.from('1'), { isNew: true })
    if (isConditional) {
      const isChecked = await isRefused(bucket, key, { isNew: true }) &&
        await isRefused(bucket, key, { etag: '"00000000000000000000000000000000"' })
      if (!isChecked) throw problem(bucket, 'the server ignores If-Match or If-None-Match; see conditionalWrites')
      await bucket.put(key, Buffer.from('2'), { etag })
    }
    await bucket.delete(key)
  } catch (error) {
    if (error instanceof errors.Bucket || !isTusError(error)) throw error
    throw problem(bucket, explain(error.cause), error.cause)
  }
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
  const { name = '', code, message } = Object(error) as { name?: string, code?: string, message?: string }
  const status = statusOf(error)
  return explanations[name] ?? (status === undefined && code !== undefined
    ? `the server cannot be reached (${code})`
    : `${name}: ${message}`)
}

function problem ({ name }: Bucket, text: string, cause?: unknown): Error {
  return new errors.Bucket(name, text, { cause })
}
