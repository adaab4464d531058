/**
 * The random steps of `test/model/`, very many: with one process and with three, over a directory and over a bucket.
 * `STEPS` sets their number (default 20,000; a quarter with three processes, a twentieth over a bucket); `SEED` repeats
 * a run, and `ONLY` selects runs by a part of their title.
 */
import t, { type Test } from 'tap'
import { skipWithout } from '../engines/skip.ts'
import { type Exploration, explore } from '../model/explore.ts'
import { bucketStorages } from '../model/storage/bucket.ts'
import { directoriesIn } from '../model/storage/directory.ts'
import type { NewStorage } from '../model/storage/storage.ts'

const steps = Number(process.env['STEPS'] ?? 20_000)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const selected = process.env['ONLY'] ?? ''
const skip = skipWithout('versitygw') || skipWithout('redis')
const HOUR = 3_600_000

interface Run extends Partial<Exploration> {
  title: string
  /** The share of the steps. */
  share: number
  skip?: string | false
  storages: (t: Test) => NewStorage | Promise<NewStorage>
}

/** Processes over a bucket; a request takes longer there. */
const overBucket = { share: 1 / 20, skip, processes: 3, killWithin: 60, sweepInterval: 200 }

const runs: Run[] = [
  { title: 'one process', share: 1, storages: (t) => directoriesIn(t.testdir()) },
  {
    title: 'three processes',
    share: 1 / 4,
    processes: 3,
    storages: (t) => directoriesIn(t.testdir(), { isShared: true })
  },
  {
    ...overBucket,
    title: 'three processes over a bucket with locks in Redis',
    storages: (t) => bucketStorages(t, { isExclusive: true })
  },
  {
    ...overBucket,
    title: 'three processes over a bucket without locks',
    storages: (t) => bucketStorages(t, { isExclusive: false })
  },
  {
    ...overBucket,
    title: 'three processes over a bucket whose clocks differ by two hours',
    period: 4 * HOUR,
    clockErrors: [0, HOUR, -HOUR],
    storages: (t) => bucketStorages(t, { isExclusive: true })
  }
]

for (const { title, share, skip = false, storages, ...options } of runs) {
  if (!title.includes(selected)) continue
  const count = Math.ceil(steps * share)
  t.test(`no acknowledged byte is lost in ${count} steps with ${title} (SEED=${seed})`, { skip, timeout: 0 },
    async (t) => {
      await explore(t, { steps: count, seed, deadly: 60, newStorage: await storages(t), ...options })
    })
}
