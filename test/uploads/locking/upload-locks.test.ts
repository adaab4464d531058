import Fastify from 'fastify'
import t from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import { EventPublisher } from '../../../plugin/uploads/events/events.ts'
import { UploadLocks } from '../../../plugin/uploads/locking/upload-locks.ts'

function rig () {
  const { log } = Fastify()
  const shutdown = new AbortController()
  const locks = new UploadLocks({
    locker: new MemoryLocker(), timeout: 1000, events: new EventPublisher(log), log, shutdown: shutdown.signal
  })
  return { locks, shutdown }
}

t.test('the locks are settled once no work runs under one, however it ends', async (t) => {
  const { locks } = rig()
  const ends: Array<() => void> = []
  const work = async () => await new Promise<void>((resolve) => ends.push(resolve))
  const first = locks.hold('a', work)
  const second = locks.hold('b', async () => {
    await work()
    throw new Error('failed')
  })
  while (ends.length < 2) await null
  let isSettled = false
  const settled = locks.settled().then(() => { isSettled = true })
  ends[0]?.()
  await first
  t.notOk(isSettled)
  ends[1]?.()
  await t.rejects(second, { message: 'failed' })
  await settled
})

t.test('several locks are held at the same time, each once', async (t) => {
  const { locks } = rig()
  t.equal(await locks.holdAll(['b', 'a', 'b'], async () => {
    t.equal(await locks.holdIfFree('a', async () => 'free'), undefined)
    t.equal(await locks.holdIfFree('b', async () => 'free'), undefined)
    return 'done'
  }), 'done')
  t.equal(await locks.holdIfFree('a', async () => 'free'), 'free')
})

t.test('work that begins while the app closes is asked to stop', async (t) => {
  const { locks, shutdown } = rig()
  await locks.hold('a', async ({ release }) => {
    await null
    t.equal(release.reason, undefined)
    shutdown.abort()
    t.match(release.reason, { code: 'FST_TUS_SHUTDOWN' })
  })
  await locks.hold('b', async ({ release }) => { t.match(release.reason, { code: 'FST_TUS_SHUTDOWN' }) })
})
