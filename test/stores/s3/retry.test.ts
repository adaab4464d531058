import { S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import { retry } from '../../../plugin/stores/s3/bucket/retry.ts'
import { S3Store } from '../../../plugin/stores/s3/index.ts'
import { skip, startRig } from './rig.ts'

const fault = (facts: object) => Object.assign(new Error('fault'), facts)
const status = (httpStatusCode: number, name = 'Error') => fault({ name, $metadata: { httpStatusCode } })

/** How often a request is made that fails once with an error. */
async function attempts (error: Error): Promise<number> {
  let count = 0
  const request = async () => { if (++count === 1) throw error }
  await retry(request, 60_000).catch((thrown: unknown) => { if (thrown !== error) throw thrown })
  return count
}

t.test('a request is repeated after failures that may pass', async (t) => {
  const passing = [
    status(500), status(503, 'SlowDown'), status(408), status(409), status(429), status(400, 'RequestTimeout'),
    status(403, 'RequestTimeTooSkewed'),
    fault({ code: 'ECONNRESET' }), fault({ code: 'EAI_AGAIN' }), fault({ name: 'TimeoutError' }),
    fault({ name: 'AbortError' }), fault({ message: 'Checksum mismatch: expected "a" but received "b"' })
  ]
  for (const error of passing) t.equal(await attempts(error), 2, JSON.stringify(error))
  const lasting = [
    status(400), status(403), status(404), status(412), fault({ name: 'CredentialsProviderError' }),
    fault({ code: 'ERR_INVALID_ARG_TYPE' })
  ]
  for (const error of lasting) t.equal(await attempts(error), 1, JSON.stringify(error))
})

t.test('a request is not repeated once the time is over', async (t) => {
  let count = 0
  const failing = async () => { count++; throw status(500) }
  await t.rejects(retry(failing, 0), { message: 'fault' })
  t.equal(count, 1)
})

t.test('requests succeed after a wrong clock was set right', { skip }, async (t) => {
  const { bucketName: bucket, engine } = await startRig(t)
  // The SDK has learnt this difference while the clock was wrong, and does not repeat a request that fails for it.
  const client = new S3Client({ ...engine.clientConfig(), systemClockOffset: 3_600_000 })
  t.teardown(() => client.destroy())
  await t.rejects(new S3Store({ bucket, client }).getUpload('missing'), { code: 'FST_TUS_NOT_FOUND' })
  t.ok(Math.abs(client.config.systemClockOffset) < 60_000)
})
