import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { LocalLocker } from '../../../plugin/locks/local/local-locker.ts'
import { temporaryDirectory } from '../../helper.ts'
import { startProcess } from './processes.ts'

const never = () => new AbortController().signal

t.test('a lock is held by one process at a time, and passes to the next one on its release', async (t) => {
  const directory = await temporaryDirectory(t)
  const [first, second] = [startProcess(t, directory), startProcess(t, directory)]
  t.equal(await first.order({ lock: 'a' }), 'locked')
  t.equal(await second.order({ tryLock: 'a' }), false)
  const waiting = second.order({ lock: 'a' })
  await first.asked('a')
  await first.order({ unlock: 'a' })
  t.equal(await waiting, 'locked')
  t.equal(await first.order({ tryLock: 'a' }), false)
  await second.order({ unlock: 'a' })
  t.equal(await first.order({ tryLock: 'a' }), true, 'a kept lock is free for other processes')
  await first.order({ unlock: 'a' })
  await Promise.all([first.close(), second.close()])
  t.same(await readdir(directory), [], 'nothing is left')
})

t.test('a killed process releases its locks, held or kept', async (t) => {
  const directory = await temporaryDirectory(t)
  const [first, second] = [startProcess(t, directory), startProcess(t, directory)]
  for (const lock of ['held', 'kept', 'alone']) t.equal(await first.order({ lock }), 'locked')
  for (const unlock of ['kept', 'alone']) await first.order({ unlock })
  const waiting = second.order({ lock: 'held' })
  await first.asked('held')
  await first.kill()
  t.equal(await waiting, 'locked')
  t.equal(await second.order({ lock: 'kept' }), 'locked')
  const third = startProcess(t, directory)
  t.equal(await third.order({ tryLock: 'held' }), false)
  t.equal(await third.order({ lock: 'other' }), 'locked')
  const files = await readdir(directory)
  t.equal(files.filter((file) => file.startsWith('l-')).length, 3, 'a new process deletes the locks of a dead one')
  t.equal(files.filter((file) => file.startsWith('p-')).length, 2, 'and its files')
  for (const unlock of ['held', 'kept']) await second.order({ unlock })
  await third.order({ unlock: 'other' })
  await Promise.all([second.close(), third.close()])
  t.same(await readdir(directory), [])
})

t.test('a killed process does not keep others from waiting for the lock', async (t) => {
  const directory = await temporaryDirectory(t)
  const [holder, killed, next] = [startProcess(t, directory), startProcess(t, directory), startProcess(t, directory)]
  t.equal(await holder.order({ lock: 'a' }), 'locked')
  killed.order({ lock: 'a' })
  await holder.asked('a')
  const waiting = next.order({ lock: 'a' })
  await killed.kill()
  await holder.order({ unlock: 'a' })
  t.equal(await waiting, 'locked')
})

t.test('a stopped process keeps its locks until it continues', async (t) => {
  const directory = await temporaryDirectory(t)
  const [stopped, other] = [startProcess(t, directory), startProcess(t, directory)]
  t.equal(await stopped.order({ lock: 'a' }), 'locked')
  t.equal(await stopped.order({ lock: 'kept' }), 'locked')
  await stopped.order({ unlock: 'kept' })
  stopped.signal('SIGSTOP')
  t.equal(await other.order({ lock: 'a', timeout: 300 }), 'TimeoutError')
  t.equal(await other.order({ lock: 'kept', timeout: 300 }), 'TimeoutError')
  t.equal(await other.order({ lock: 'free' }), 'locked')
  const waiting = other.order({ lock: 'a' })
  stopped.signal('SIGCONT')
  await stopped.asked('a')
  t.equal(await stopped.order({ unlock: 'a' }), undefined)
  t.equal(await waiting, 'locked')
  t.equal(await other.order({ lock: 'kept' }), 'locked')
})

t.test('a request that stops waiting for another process does not get the lock later', async (t) => {
  const directory = await temporaryDirectory(t)
  const [first, second, third] = [startProcess(t, directory), startProcess(t, directory), startProcess(t, directory)]
  t.equal(await first.order({ lock: 'a' }), 'locked')
  t.equal(await second.order({ lock: 'a', timeout: 100 }), 'TimeoutError')
  const waiting = third.order({ lock: 'a' })
  await first.order({ unlock: 'a' })
  t.equal(await waiting, 'locked')
  await third.order({ unlock: 'a' })
  t.equal(await second.order({ tryLock: 'a' }), true)
})

t.test('the tenure of a lock lasts until another process has held it', async (t) => {
  const directory = await temporaryDirectory(t)
  const locker = new LocalLocker({ directory })
  t.teardown(() => locker.close())
  t.equal(locker.tenure('a'), undefined)
  const lock = locker.newLock('a')
  await lock.lock(never(), () => {})
  const tenure = locker.tenure('a')
  t.type(tenure, 'number')
  await lock.unlock()
  t.equal(locker.tenure('a'), tenure, 'it stays while the lock is kept')
  await lock.lock(never(), () => {})
  t.equal(locker.tenure('a'), tenure)
  await lock.unlock()
  const other = startProcess(t, directory)
  t.equal(await other.order({ lock: 'a' }), 'locked')
  t.equal(locker.tenure('a'), undefined)
  await other.order({ unlock: 'a' })
  await lock.lock(never(), () => {})
  t.not(locker.tenure('a'), tenure)
  await lock.unlock()
})

t.test('a process keeps at most 1,000 locks', async (t) => {
  const directory = await temporaryDirectory(t)
  const locker = new LocalLocker({ directory })
  for (let i = 0; i < 1002; i++) {
    const lock = locker.newLock(`upload-${i}`)
    await lock.lock(never(), () => {})
    await lock.unlock()
  }
  const locks = async () => (await readdir(directory)).filter((file) => file.startsWith('l-')).length
  while (await locks() > 1000) await new Promise((resolve) => setImmediate(resolve))
  t.equal(locker.tenure('upload-0'), undefined)
  t.type(locker.tenure('upload-1001'), 'number')
  await locker.close()
  t.same(await readdir(directory), [])
})

t.test('a locker works in a directory with a long path', async (t) => {
  const directory = path.join(await temporaryDirectory(t), 'long-'.repeat(30))
  await mkdir(directory)
  const [first, second] = [startProcess(t, directory), startProcess(t, directory)]
  t.equal(await first.order({ lock: 'a' }), 'locked')
  const waiting = second.order({ lock: 'a' })
  await first.asked('a')
  await first.order({ unlock: 'a' })
  t.equal(await waiting, 'locked')
})

t.test('locks that are held when a locker is closed are released by their holders', async (t) => {
  const directory = await temporaryDirectory(t)
  const locker = new LocalLocker({ directory })
  const lock = locker.newLock('a')
  await lock.lock(never(), () => {})
  const closed = locker.close()
  const next = locker.newLock('a')
  let isHeld = false
  const waiting = next.lock(never(), () => {}).then(() => { isHeld = true })
  await locker.newLock('b').lock(never(), () => {})
  t.notOk(isHeld)
  await lock.unlock()
  await Promise.all([waiting, closed])
  await t.rejects(lock.unlock(), { message: 'This lock is not held' })
})

t.test('a directory that cannot be used fails the request, and the next one tries again', async (t) => {
  const directory = t.testdir({ file: '' })
  const locker = new LocalLocker({ directory: path.join(directory, 'file') })
  const lock = locker.newLock('a')
  await t.rejects(lock.lock(never(), () => {}), { code: 'EEXIST' })
  await t.rejects(lock.lock(never(), () => {}), { code: 'EEXIST' })
  t.throws(() => new LocalLocker({ directory: '' }), { message: /"directory" of a LocalLocker must be a path/ })
})
