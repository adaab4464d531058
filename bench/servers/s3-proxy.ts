/** A proxy in front of the S3 server. It counts requests, and delays each of them after the question `far`. */
import { answer } from './questions.ts'
import { options } from './serve.ts'
import { startFaultProxy } from '../../test/engines/fault-proxy.ts'

const DELAY = 20

// The process ends with the run.
const run = { teardown: () => {} }
const proxy = await startFaultProxy(run, { port: Number(options.s3) }, { port: options.port })

answer('near', () => proxy.clear())
answer('far', () => { proxy.add({ fault: { delay: DELAY } }) })
answer('counted', () => proxy.log.splice(0).length)
