import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { Append, Durability } from '../../../plugin/index.ts'
import { SYNC_BYTES } from '../../../plugin/stores/file/background-sync.ts'
import { FileStore } from '../../../plugin/stores/file/file-store.ts'
import { type FileSystem, fileSystem } from '../../../plugin/stores/file/file-system/file-system.ts'
import { temporaryDirectory, until } from '../../helper.ts'

const MIB = Buffer.alloc(1024 * 1024, 'm')
const SIZE = 2 * SYNC_BYTES + MIB.length

interface Rig {
  append: Append
  directory: string
  /** How many syncs have started, and how many are running. */
  flushes: { begun: number, running: number }
  /** Appends this many bytes. */
  write: (bytes: number) => Promise<void>
}

/** An append of a store whose syncs are counted, and end as `flush` decides. */
async function rig (t: Test, durability: Durability, flush = async () => {}): Promise<Rig> {
  const directory = await temporaryDirectory(t)
  const flushes = { begun: 0, running: 0 }
  const open: FileSystem['open'] = async (name, flags) => {
    const file = await fileSystem.open(name, flags)
    const datasync = file.datasync.bind(file)
    file.datasync = async () => {
      if (path.basename(name) !== 'a') return await datasync()
      flushes.begun++
      t.equal(++flushes.running, 1, 'one at a time')
      try {
        await flush()
        await datasync()
      } finally {
        flushes.running--
      }
    }
    return file
  }
  const store = new FileStore({ directory, durability, fs: { ...fileSystem, open } })
  const append = await store.openAppend(await store.create({ id: 'a', size: SIZE, offset: 0 }))
  const write = async (bytes: number) => {
    for (let at = 0; at < bytes; at += MIB.length) await append.write([MIB], MIB.length)
  }
  return { append, directory, flushes, write }
}

const failing = async () => { throw Object.assign(new Error('flush'), { code: 'EIO' }) }

t.test('a file is synced while more bytes arrive, and at its end', async (t) => {
  let release = () => {}
  const { append, flushes, write } = await rig(t, 'finished', () => new Promise((resolve) => { release = resolve }))
  await write(SYNC_BYTES - MIB.length)
  t.equal(flushes.begun, 0)
  await write(MIB.length)
  t.equal(flushes.begun, 1)
  await write(SYNC_BYTES + MIB.length)
  t.equal(flushes.begun, 1, 'the next sync waits for the first one')
  const committed = append.commit()
  t.equal(flushes.begun, 1, 'and so does the last one')
  release()
  await until(() => flushes.begun === 2)
  release()
  t.equal(await committed, SIZE)
})

t.test('durability "none" never syncs', async (t) => {
  const { append, flushes, write } = await rig(t, 'none')
  await write(SIZE)
  t.equal(await append.commit(), SIZE)
  t.equal(flushes.begun, 0)
})

t.test('an append fails after a failed sync, even though the kernel reports the failure only once', async (t) => {
  let times = 0
  const { append, write } = await rig(t, 'finished', async () => { if (times++ === 0) await failing() })
  await write(SYNC_BYTES)
  await t.rejects(append.commit(), { code: 'EIO' })
})

t.test('a write after a failed sync is refused', async (t) => {
  let times = 0
  const { append, write, flushes } = await rig(t, 'finished', async () => { if (times++ === 0) await failing() })
  await write(SYNC_BYTES)
  await until(() => flushes.running === 0)
  await t.rejects(write(MIB.length), { code: 'EIO' })
  await t.rejects(append.commit(), { code: 'EIO' })
})

t.test('an append is rolled back after a failed sync, and the rollback reports the error', async (t) => {
  const { append, directory, write } = await rig(t, 'finished', failing)
  await write(SYNC_BYTES)
  await t.rejects(append.rollback(), { code: 'EIO' })
  t.equal((await fs.stat(path.join(directory, 'a'))).size, 0)
})
