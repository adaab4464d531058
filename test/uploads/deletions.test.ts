import fs from 'node:fs/promises'
import path from 'node:path'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { FileStore, MemoryLocker } from '../../plugin/index.ts'
import { BreakableStore } from '../broken-store.ts'
import type { Context } from '../../plugin/uploads/context.ts'
import { discard } from '../../plugin/uploads/discard.ts'
import { EventPublisher } from '../../plugin/uploads/events/events.ts'
import { FirstParts } from '../../plugin/uploads/concatenation/first-parts.ts'
import { Followers } from '../../plugin/uploads/events/followers.ts'
import { ReleaseSignal } from '../../plugin/uploads/locking/release-signal.ts'
import { build, until } from '../helper.ts'

const HOUR = 3_600_000
const old = new Date(Date.now() - 48 * HOUR)
const partial = { 'upload-concat': 'partial' }

t.test('a refused upload is not deleted after its lock was lost', async (t) => {
  const context = { store: { remove: () => t.fail('it was deleted') } } as unknown as Context
  const lock = { release: new ReleaseSignal(), isLost: true, assertHeld: () => {} }
  await t.resolves(discard(context, null as unknown as FastifyRequest, { id: 'a', offset: 0 }, lock))
})

t.test('the cache of parts to check first forgets the oldest final upload', async (t) => {
  const parts = new FirstParts()
  for (let i = 0; i <= 10_000; i++) parts.set(`final-${i}`, 'part')
  t.equal(parts.get('final-0'), undefined)
  t.equal(parts.get('final-1'), 'part')
})

t.test('followers of a deleted upload end if its id is followed again', async (t) => {
  const { log } = Fastify()
  const shutdown = new AbortController()
  const source = {
    find: async (upload: { id: string }) => ({ ...upload, offset: 0 }),
    read: async () => Buffer.alloc(0),
    shutdown: shutdown.signal
  }
  const followers = new Followers(source, new EventPublisher(log), new MemoryLocker())
  const first = followers.follow({ id: 'a', offset: 0, creation_date: '2026-01-01T00:00:00.000Z' }, () => {})
  const second = followers.follow({ id: 'a', offset: 0, creation_date: '2026-01-02T00:00:00.000Z' }, () => {})
  t.match(first.error, { code: 'FST_TUS_NOT_FOUND' })
  t.equal(second.error, undefined)
  first.stop()
  second.stop()
})

t.test('HEAD of a final upload whose part another process has deleted is gone', async (t) => {
  const { create, post, head, directory } = await build(t)
  const part = await create(3, partial)
  const final = (await post({ 'upload-concat': `final;${part}` })).headers.location as string
  t.equal((await head(final)).statusCode, 200)
  await new FileStore({ directory }).remove(path.basename(part))
  t.equal((await head(final)).statusCode, 410)
  t.equal((await head(final)).statusCode, 404)
})

t.test('a sweep deletes a part once, if an expired final upload names it twice', async (t) => {
  const expiration = { period: 24 * HOUR, sweepInterval: 0 }
  const first = await build(t, { expiration })
  const part = await first.create(3, partial)
  const final = (await first.post({ 'upload-concat': `final;${part} ${part}` })).headers.location as string
  await first.app.close()
  for (const url of [part, final]) await fs.utimes(path.join(first.directory, path.basename(url)), old, old)
  const expired: string[] = []
  const onUploadExpire = ({ id }: { id: string }) => { expired.push(`/files/${id}`) }
  await build(t, { directory: first.directory, expiration, onUploadExpire })
  await until(() => expired.length === 2)
  t.same([...expired].sort(), [part, final].sort())
})

t.test('DELETE of an expired upload deletes it, unless reading it fails', async (t) => {
  const datastore = new BreakableStore({ directory: t.testdir() })
  const { create, head, request } = await build(t, { datastore, expiration: { period: HOUR, sweepInterval: 0 } })
  const location = await create(3)
  datastore.isBroken = true
  t.equal((await request('DELETE', location)).statusCode, 503)
  datastore.isBroken = false
  t.equal((await head(location)).statusCode, 200)
  await fs.utimes(path.join(datastore.directory, path.basename(location)), old, old)
  t.equal((await request('DELETE', location)).statusCode, 410)
  t.equal((await request('DELETE', location)).statusCode, 404)
})
