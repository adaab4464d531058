/** A LocalLocker and a process that the test plays itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import net from 'node:net'
import path from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { LocalLocker } from '../../../plugin/locks/local/local-locker.ts'
import { LockFiles, nameOf } from '../../../plugin/locks/local/lock-files.ts'
import { type Message, Peers } from '../../../plugin/locks/local/peers.ts'
import type { Lock } from '../../../plugin/types.ts'
import { temporaryDirectory, until } from '../../helper.ts'

const never = () => new AbortController().signal
const ignore = () => {}

/** A process that takes part in the protocol, but does only what the test says. */
async function play (t: Test, directory: string, name: string, platform?: string) {
  const requests: Message[] = []
  const replies: Message[] = []
  const ended: string[] = []
  const peers = new Peers(directory, name, {
    onRequest: (message) => { requests.push(message) },
    onReply: (message) => { replies.push(message) },
    onRequesterEnd: (from) => { ended.push(from) },
    onOwnerEnd: (from) => { ended.push(from) }
  }, platform)
  await peers.open()
  t.teardown(() => peers.close())
  const files = new LockFiles(directory, name, (name) => peers.isAlive(name))
  await files.open()
  return { name, peers, files, requests, replies, ended }
}

async function rig (t: Test, options = {}) {
  const directory = await temporaryDirectory(t)
  const locker = new LocalLocker({ directory, ...options })
  const lock = locker.newLock('warm')
  await lock.lock(never(), ignore)
  await lock.unlock()
  const [self = ''] = (await readdir(directory)).filter((file) => file.startsWith('p-'))
  const other = await play(t, directory, 'other')
  t.teardown(() => locker.close())
  return { directory, locker, self: self.slice(2), other, x: nameOf('x') }
}

/** A lock that is held, and how often its holder was asked to release it. */
async function hold (locker: LocalLocker, id: string): Promise<{ lock: Lock, asked: () => number }> {
  const lock = locker.newLock(id)
  let asked = 0
  await lock.lock(never(), () => { asked++ })
  return { lock, asked: () => asked }
}

const skip = process.platform !== 'linux' && 'the state of the process is read from /proc'

t.test('a process that dies before it accepts a connection has ended', { skip }, async (t) => {
  const { directory, other } = await rig(t)
  const script = 'require("node:net").createServer().listen(process.argv[1], () => console.log())'
  const child = spawn(process.execPath, ['-e', script, path.join(directory, 's-dying')])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const state = () => /\) (\w) /.exec(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))?.[1]
  child.kill('SIGSTOP')
  while (state() !== 'T') continue
  const isAlive = other.peers.isAlive('dying')
  // Nothing else runs until it is dead, so that the connection is reset before the locker sees it.
  child.kill('SIGKILL')
  // Its other threads may outlive the main thread for a moment and keep the socket open.
  while (state() !== 'Z' || readdirSync(`/proc/${child.pid}/task`).length > 1) continue
  t.equal(await isAlive, false)
})

t.test('a request beyond the allowed number of waiters is refused at once', async (t) => {
  const { locker } = await rig(t, { maxWaiters: 1 })
  const held = locker.newLock('x')
  await held.lock(never(), ignore)
  const waiting = locker.newLock('x')
  const isHeld = waiting.lock(never(), ignore)
  await t.rejects(locker.newLock('x').lock(never(), ignore), { code: 'FST_TUS_LOCKED' })
  t.equal(await locker.newLock('x').tryLock?.(ignore), false)
  await held.unlock()
  await isHeld
  await waiting.unlock()
  const next = locker.newLock('x')
  t.equal(await next.tryLock?.(ignore), true, 'a kept lock is free')
  await next.unlock()
})

t.test('tryLock gives up if the lock keeps moving', async (t) => {
  const { locker, self, other, x } = await rig(t)
  t.equal(await other.files.take(x), 'other')
  const tried = locker.newLock('x').tryLock?.(ignore)
  for (let i = 0; i < 3; i++) {
    await until(() => other.requests.length > i)
    t.match(other.requests[i], { type: 'try', lock: 'x' })
    other.peers.reply(self, { type: 'look', lock: 'x' })
  }
  t.equal(await tried, false)
})

t.test('a request that gives up takes its message back', async (t) => {
  const { locker, self, other, x } = await rig(t)
  t.equal(await other.files.take(x), 'other')
  const controller = new AbortController()
  const waiting = locker.newLock('x').lock(controller.signal, ignore)
  await until(() => other.requests.length === 1)
  controller.abort(new Error('too late'))
  await t.rejects(waiting, { message: 'too late' })
  await until(() => other.requests.length === 2)
  t.match(other.requests, [{ type: 'want', lock: 'x' }, { type: 'drop', lock: 'x' }])
  other.peers.reply(self, { type: 'look', lock: 'x' })
  t.equal(locker.tenure('x'), undefined)
})

t.test('a process that stops waiting gets a reply, and not the lock', async (t) => {
  const { locker, self, other } = await rig(t)
  const { lock, asked } = await hold(locker, 'x')
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await until(() => asked() > 0)
  for (let i = 0; i < 2; i++) await other.peers.request(self, { type: 'drop', lock: 'x' })
  await other.peers.request(self, { type: 'try', lock: 'x', at: '1' })
  await other.peers.request(self, { type: 'try', lock: 'unknown', at: '1' })
  await until(() => other.replies.length === 3)
  t.match(other.replies, [{ type: 'look', lock: 'x' }, { type: 'busy', lock: 'x' }, { type: 'look', lock: 'unknown' }])
  await lock.unlock()
  t.type(locker.tenure('x'), 'number')
})

t.test('the requests of a process that ends are forgotten', async (t) => {
  const { directory, locker, self, other } = await rig(t)
  const third = await play(t, directory, 'third')
  const { lock, asked } = await hold(locker, 'x')
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await third.peers.request(self, { type: 'want', lock: 'x', at: '2' })
  await until(() => asked() > 1)
  const before = asked()
  await other.peers.close()
  await until(() => asked() > before)
  await lock.unlock()
  await until(() => third.replies.length > 0)
  t.equal(await third.files.take(nameOf('x')), 'third')
})

t.test('processes get a lock in the order in which their requests arrived', async (t) => {
  const { directory, locker, self, other, x } = await rig(t)
  const third = await play(t, directory, 'third')
  const { lock, asked } = await hold(locker, 'x')
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await until(() => asked() > 0)
  await third.peers.request(self, { type: 'want', lock: 'x', at: '2' })
  await until(() => asked() > 1)
  await lock.unlock()
  await until(() => other.replies.length + third.replies.length === 2)
  t.match(other.replies, [{ type: 'look', others: [['third', '2']] }])
  t.equal(await third.files.take(x), 'other')
})

t.test('the lock of an owner that ends is taken', async (t) => {
  const { locker, other, x } = await rig(t)
  t.equal(await other.files.take(x), 'other')
  const lock = locker.newLock('x')
  const waiting = lock.lock(never(), ignore)
  await until(() => other.requests.length === 1)
  await other.peers.close()
  await waiting
  await lock.unlock()
})

t.test('a lock stays where it is if the next process has ended', async (t) => {
  const { locker, self, other } = await rig(t)
  const { lock, asked } = await hold(locker, 'x')
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await until(() => asked() > 0)
  await other.files.close()
  await lock.unlock()
  await until(() => locker.tenure('x') !== undefined)
  t.equal(await lock.tryLock?.(ignore), true)
  await lock.unlock()
})

t.test('a process gets a reply if a lock cannot be handed over to it', async (t) => {
  const { directory, locker, self, other, x } = await rig(t)
  const { lock, asked } = await hold(locker, 'x')
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await until(() => asked() > 0)
  const file = path.join(directory, `l-${x}`)
  await unlink(file)
  await mkdir(file)
  await lock.unlock()
  await until(() => other.replies.length === 1)
  t.match(other.replies, [{ type: 'look', lock: 'x' }])
})

t.test('a lock that a process was given without asking is passed on', async (t) => {
  const { self, other, x } = await rig(t)
  t.equal(await other.files.take(x), 'other')
  t.equal(await other.files.handOver(x, self), true)
  await other.peers.request(self, { type: 'want', lock: 'x', at: '1' })
  await until(() => other.replies.length === 1)
  t.equal(await other.files.take(x), 'other')
})

t.test('an owner whose socket cannot be reached is not taken for dead', async (t) => {
  const { directory, locker, other, x } = await rig(t)
  const strange = new LockFiles(directory, 'strange', async () => true)
  await strange.open()
  await strange.take(x)
  await symlink('s-strange', path.join(directory, 's-strange'))
  await t.rejects(locker.newLock('x').lock(never(), ignore), { code: 'ELOOP' })
  await other.peers.request('unknown', { type: 'want', lock: 'x', at: '1' })
  t.same(other.ended, ['unknown'])
})

t.test('a lock file that disappears, or is none, does not mislead', async (t) => {
  const { directory, other, x } = await rig(t)
  const file = path.join(directory, `l-${x}`)
  await symlink('missing', file)
  const taken = other.files.take(x)
  setTimeout(() => { unlink(file).catch(ignore) }, 10)
  t.equal(await taken, 'other')
  await mkdir(path.join(directory, 'l-folder'))
  await t.rejects(other.files.take('folder'), { code: 'EISDIR' })
})

t.test('a stopped owner does not hold up tryLock, nor the end of a request', { timeout: 20_000 }, async (t) => {
  const { locker, other, x } = await rig(t)
  t.equal(await other.files.take(x), 'other')
  t.equal(await locker.newLock('x').tryLock?.(ignore), false)
  t.match(other.requests, [{ type: 'try', lock: 'x' }])
  await t.rejects(locker.newLock('x').lock(AbortSignal.timeout(50), ignore), { name: 'TimeoutError' })
  await locker.close()
})

t.test('messages that are none close the connection, and nothing else', async (t) => {
  const { directory, locker, self } = await rig(t)
  const hello = '{"from":"mallory"}\n'
  const wrong = [
    'garbage\n', 'null\n', '{"type":"want","lock":"a"}\n', '{"from":"../a"}\n', 'x'.repeat(1_100_000),
    ...['garbage', 'null', '[]', '{"type":"steal","lock":"a"}', '{"type":"want","lock":1,"at":"1"}',
      '{"type":"want","lock":"a","at":"soon"}', '{"type":"want","lock":"a","others":1}',
      '{"type":"want","lock":"a","others":[null]}', '{"type":"want","lock":"a","others":[["a/b","1"]]}',
      '{"type":"want","lock":"a","others":[["a",{}]]}'].map((line) => `${hello}${line}\n`)
  ]
  for (const text of wrong) {
    const socket = net.connect(path.join(directory, `s-${self}`)).on('error', ignore)
    socket.write(text)
    await new Promise((resolve) => socket.on('close', resolve))
  }
  const { mode } = await stat(path.join(directory, `s-${self}`))
  t.equal(mode & 0o777, 0o600)
  const lock = locker.newLock('a')
  await lock.lock(never(), ignore)
  await lock.unlock()
})

t.test('files that do not belong in the directory affect no other lock', async (t) => {
  const directory = await temporaryDirectory(t)
  for (const folder of ['l-folder', 'p-folder', 's-folder']) await mkdir(path.join(directory, folder))
  await symlink('l-loop', path.join(directory, 'l-loop'))
  await symlink('s-other', path.join(directory, 's-other'))
  for (const name of ['p-other', 'l-other']) await writeFile(path.join(directory, name), 'other')
  await writeFile(path.join(directory, `l-${nameOf('x')}`), '\0'.repeat(5000))
  const locker = new LocalLocker({ directory })
  t.teardown(() => locker.close())
  const lock = locker.newLock('x')
  await lock.lock(never(), ignore)
  await lock.unlock()
})

t.test('a locker creates its own file again, unless other processes take it for dead', async (t) => {
  const { directory, locker, self } = await rig(t)
  await rm(path.join(directory, `p-${self}`))
  const lock = locker.newLock('x')
  await lock.lock(never(), ignore)
  await lock.unlock()
  for (const kind of ['p', 's']) await rm(path.join(directory, `${kind}-${self}`))
  await t.rejects(locker.newLock('y').lock(never(), ignore), { code: 'ENOENT' })
  await t.rejects(async () => { await locker.newLock('y').tryLock?.(ignore) }, { code: 'ENOENT' })
})

t.test('a connection that says nothing is ignored', async (t) => {
  const { directory, self } = await rig(t)
  const socket = net.connect(path.join(directory, `s-${self}`))
  await once(socket, 'connect')
  socket.end()
  await once(socket, 'close')
  t.pass('closed')
})

t.test('processes on Windows connect by named pipes', async (t) => {
  const directory = await temporaryDirectory(t)
  const [first, second] = [await play(t, directory, 'a', 'win32'), await play(t, directory, 'b', 'win32')]
  await first.peers.request('b', { type: 'want', lock: 'x', at: '1' })
  await until(() => second.requests.length === 1)
  t.notOk((await readdir(directory)).some((file) => file.startsWith('s-')))
})
