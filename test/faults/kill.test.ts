/**
 * The server is killed at random moments of many uploads, and each is resumed afterwards. `KILLS` sets how often
 * (default 500); `SEED` repeats the moments.
 */
import assert from 'node:assert/strict'
import t from 'tap'
import { Appending, type AppendShape } from '../model/append.ts'
import { Concatenating } from '../model/concatenate.ts'
import { Creating, type CreateShape } from '../model/create.ts'
import { Machine } from '../model/machine.ts'
import { idOf, type Upload } from '../model/model.ts'
import { readNotes } from '../model/notes.ts'
import { alone, killed, type Operation } from '../model/operation.ts'
import { read } from '../model/read.ts'
import { directoriesIn } from '../model/storage/directory.ts'
import type { NewStorage } from '../model/storage/storage.ts'
import { type Tally, World } from '../model/world.ts'
import { dice } from './dice.ts'

const kills = Number(process.env['KILLS'] ?? 500)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const PERIOD = 3_600_000

/** One of three processes is killed while the others continue. */
const runs = [{ processes: 1, kills }, { processes: 3, kills: Math.ceil(kills / 5) }]

/**
 * The number of kills after which it starts over with an empty directory: every upload of a round is checked after each
 * kill.
 */
const KILLS_PER_WORLD = 20

const plain: AppendShape = { share: 1, guard: 'none', chunked: false, over: 0, wrongBy: 0, declares: false }

type Dice = () => number

const sizeOf = (next: Dice, most: number) => 1 + Math.floor(next() * most)

async function create (world: World, next: Dice, shape: Partial<CreateShape> = {}): Promise<Upload> {
  const size = shape.size ?? sizeOf(next, 1_000_000)
  const content = Math.floor(next() * 1_000_000)
  await alone(world, new Creating({ size, content, deferred: false, partial: false, ...shape }))
  return world.uploads.at(-1) as Upload
}

/** The operation during which the server is killed, and its maximum duration, in ms. */
const moments: Record<string, (world: World, next: Dice) => Promise<{ operations: Operation[], ms: number }>> = {
  async creation (_world, next) {
    const body = { share: next(), over: 0, guard: 'none' as const, chunked: next() < 0.5 }
    const size = sizeOf(next, 300_000)
    const shape = { size, content: Math.floor(next() * 1_000_000), deferred: false, partial: false }
    return { operations: [new Creating(shape), new Creating({ ...shape, body })], ms: 20 }
  },
  async append (world, next) {
    const upload = await create(world, next)
    return { operations: [new Appending(world, upload, { ...plain, share: next(), chunked: next() < 0.5 })], ms: 12 }
  },
  async 'checksummed append' (world, next) {
    const upload = await create(world, next)
    await alone(world, new Appending(world, upload, { ...plain, share: 0.3 }))
    const guard = next() < 0.5 ? 'right' as const : 'right trailer' as const
    return { operations: [new Appending(world, upload, { ...plain, share: next(), guard })], ms: 25 }
  },
  async concatenation (world, next) {
    const parts = []
    for (let i = 0; i < 3; i++) {
      const body = { share: 1, over: 0, guard: 'none' as const, chunked: false }
      parts.push(await create(world, next, { partial: true, body }))
    }
    return { operations: [new Concatenating(world, parts)], ms: 40 }
  },
  async finish (world, next) {
    const upload = await create(world, next, { size: sizeOf(next, 1000) })
    return { operations: [new Appending(world, upload, plain)], ms: 16 }
  },
  async sweep (world, next) {
    for (let i = 0; i < 3; i++) await create(world, next)
    await world.stepClock(2 * PERIOD)
    return { operations: [], ms: 80 }
  }
}

/** Resumes unfinished uploads, and compares complete ones. */
async function resume (world: World): Promise<void> {
  for (const upload of world.uploads) {
    if (upload.isGone || upload.maybeGone) continue
    if (!upload.parts) await alone(world, new Appending(world, upload, plain))
    await world.compare(upload)
    if (!upload.isGone && !upload.maybeGone) await read(world, upload)
  }
}

async function worldIn (
  newStorage: NewStorage, name: string, machine: Machine, tally: Tally
): Promise<{ world: World, notes: string }> {
  const storage = await newStorage(name)
  const world = new World(machine, storage, { period: PERIOD, tally })
  await world.begin()
  return { world, notes: storage.served.notes }
}

for (const { processes, kills } of runs) {
  const title = `every upload can be resumed after ${kills} kills, with ${processes} processes (SEED=${seed})`
  t.test(title, { timeout: 0 }, async (t) => {
    const newStorage = directoriesIn(t.testdir(), { isShared: processes > 1 })
    const machine = new Machine({ period: PERIOD, sweepInterval: 30, processes })
    t.teardown(() => machine.end())
    const tally: Tally = new Map()
    const next = dice(seed)
    const hooks = { 'ran once': 0, 'ran twice': 0 }
    for (let kill = 0; kill < kills;) {
      const { world, notes } = await worldIn(newStorage, String(kill), machine, tally)
      for (const until = Math.min(kills, kill + KILLS_PER_WORLD); kill < until; kill++) {
        const names = Object.keys(moments)
        const name = names[kill % names.length] as string
        const { operations, ms } = await moments[name]?.(world, next) as { operations: Operation[], ms: number }
        await killed(world, operations, next() * ms)
        await resume(world)
        await world.check()
        world.count(name)
      }
      await world.end()
      for (const times of (await readNotes(notes)).values()) hooks[times === 1 ? 'ran once' : 'ran twice']++
    }
    t.comment(JSON.stringify({ ...hooks, ...Object.fromEntries([...tally].sort()) }))
    t.ok(hooks['ran once'] > 0)
  })
}

t.test('the finish hook is retried, and runs twice only if a kill follows its run', async (t) => {
  const newStorage = directoriesIn(t.testdir())
  const machine = new Machine({ period: PERIOD, sweepInterval: 30 })
  t.teardown(() => machine.end())
  for (const [where, times] of [['hook', 1], ['mark', 2]] as const) {
    const { world, notes } = await worldIn(newStorage, where, machine, new Map())
    const upload = await create(world, dice(1), { size: 10 })
    const operation = new Appending(world, upload, plain)
    operation.may(world)
    await machine.dieAt(where, () => operation.send(world))
    t.equal((await readNotes(notes)).get(idOf(upload)), times === 1 ? undefined : 1, `killed at the ${where}`)
    await world.restart()
    await world.end()
    t.equal((await readNotes(notes)).get(idOf(upload)), times, 'total runs of the hook')
    assert.equal(upload.offset, 10)
  }
})
