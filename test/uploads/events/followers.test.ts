import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { MemoryLocker } from '../../../plugin/index.ts'
import type { Locker, Upload } from '../../../plugin/index.ts'
import { EventPublisher } from '../../../plugin/uploads/events/events.ts'
import { Followers } from '../../../plugin/uploads/events/followers.ts'

const request = {} as FastifyRequest

/** Followers with a clock that stands still: `delays` are those of the timers that they start. */
function rig (t: Test, locker: Locker) {
  const delays: number[] = []
  t.intercept(performance, 'now', { value: () => 0 })
  t.intercept(globalThis, 'setTimeout', {
    value: (_callback: () => void, ms: number) => {
      delays.push(ms)
      return { unref () {} }
    }
  })
  const upload: Upload = { id: 'a', offset: 0, size: 9 }
  const shutdown = new AbortController()
  const events = new EventPublisher(Fastify().log)
  const source = { find: async () => upload, read: async () => Buffer.alloc(0), shutdown: shutdown.signal }
  return { followers: new Followers(source, events, locker), upload, events, shutdown, delays }
}

t.test('without announcements, an upload is polled twice a second, and sooner after a change', async (t) => {
  const { followers, upload, events, delays } = rig(t, new MemoryLocker())
  const following = followers.follow(upload, () => {})
  t.same(delays, [500])
  events.publish('stored', { upload, request, offset: 3 })
  t.same(delays, [500, 50])
  following.stop()
})

t.test('changes are announced to other processes, and announcements of other processes are followed', async (t) => {
  const announced: string[] = []
  let listener = (_id: string) => {}
  let isListening = true
  const locker: Locker = {
    newLock: (id) => new MemoryLocker().newLock(id),
    changed: (id) => { announced.push(id) },
    onChanged: (wanted) => {
      listener = wanted
      return () => { isListening = false }
    }
  }
  const { followers, upload, events, shutdown, delays } = rig(t, locker)
  const following = followers.follow(upload, () => {})
  t.same(delays, [10_000], 'polling is rarely needed')
  listener('b')
  t.same(delays, [10_000])
  listener('a')
  t.same(delays, [10_000, 50])
  events.publish('stored', { upload: { ...upload, id: 'b' }, request, offset: 3 })
  events.publish('found', { upload: { ...upload, id: 'c' }, request: null })
  t.same(announced, ['b'])
  shutdown.abort(new Error('closing'))
  t.match(following.error, { message: 'closing' })
  t.notOk(isListening)
})
