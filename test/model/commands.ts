import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Appending, type AppendShape } from './append.ts'
import { Concatenating } from './concatenate.ts'
import { Creating, type CreateShape } from './create.ts'
import type { Upload } from './model.ts'
import { beginBody, cutBody, feed, finishBody, type OpenShape } from './open-body.ts'
import { alone, killed, type Operation, together } from './operation.ts'
import { read } from './read.ts'
import { Terminating } from './terminate.ts'
import type { Guard } from './wire.ts'
import type { World } from './world.ts'

const MINUTE = 60_000

/** One step: its name and shape are printed if it fails. */
class Step<T> implements fc.AsyncCommand<World, World> {
  readonly #name: string
  readonly #shape: T
  readonly #run: (world: World, shape: T) => Promise<void>

  constructor (name: string, shape: T, run: (world: World, shape: T) => Promise<void>) {
    this.#name = name
    this.#shape = shape
    this.#run = run
  }

  check (): boolean {
    return true
  }

  async run (world: World): Promise<void> {
    world.count('steps')
    await this.#run(world, this.#shape)
    await world.check()
  }

  toString (): string {
    return `${this.#name}(${JSON.stringify(this.#shape)})`
  }
}

function step<T> (name: string, shape: fc.Arbitrary<T>, run: (world: World, shape: T) => Promise<void>) {
  return shape.map((value) => new Step(name, value, run))
}

/** An upload by its number, modulo the number of uploads. */
const which = fc.nat(40)

/** Mostly an existing upload; the latest ones first. */
function pick (world: World, number: number): Upload | undefined {
  const there = world.uploads.filter(({ isGone }) => !isGone)
  const from = there.length > 0 && number % 8 !== 7 ? there : world.uploads
  return from.at(-1 - number % Math.max(1, Math.min(from.length, 12)))
}

const share = fc.constantFrom(0, 0.1, 0.5, 0.9, 1, 1)
const cutOff = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, fc.record({
  at: fc.constantFrom(0, 0.3, 0.7, 0.99), how: fc.constantFrom('end' as const, 'reset' as const)
}))
const guard = fc.constantFrom<Guard>(
  'none', 'none', 'none', 'none', 'none', 'right', 'right', 'wrong', 'right trailer', 'wrong trailer'
)

const appendShape: fc.Arbitrary<AppendShape> = fc.record({
  share,
  guard,
  chunked: fc.boolean(),
  over: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 70_000),
  wrongBy: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, -1, 5000),
  declares: fc.boolean(),
  cut: cutOff
})

const createShape: fc.Arbitrary<CreateShape> = fc.record({
  size: fc.oneof({ weight: 6, arbitrary: fc.nat(70_000) }, fc.constantFrom(0, 1), fc.nat(2_500_000)),
  content: fc.nat(1_000_000),
  deferred: fc.constantFrom(false, false, false, true),
  partial: fc.boolean(),
  body: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, fc.record({
    share, guard, chunked: fc.boolean(), over: fc.constantFrom(0, 0, 0, 0, 0, 3), cut: cutOff
  }))
})

const parts = fc.array(which, { minLength: 1, maxLength: 4 })

/** Makes requests from plain values once the existing uploads are known. */
type Plan = { create: CreateShape } | { append: AppendShape, to: number } | { remove: number } | { join: number[] }

const plan: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ create: createShape }) },
  { weight: 10, arbitrary: fc.record({ append: appendShape, to: which }) },
  { weight: 1, arbitrary: fc.record({ remove: which }) },
  { weight: 2, arbitrary: fc.record({ join: parts }) }
)

function plans (world: World, planned: Plan[]): { operations: Operation[], uploads: Upload[] } {
  const uploads: Upload[] = []
  const operations = planned.flatMap((plan): Operation[] => {
    if ('create' in plan) return [new Creating(plan.create)]
    if ('join' in plan) {
      const parts = joinable(world, plan.join)
      uploads.push(...parts)
      return parts.length > 0 ? [new Concatenating(world, parts)] : []
    }
    const upload = pick(world, 'append' in plan ? plan.to : plan.remove)
    if (upload === undefined) return []
    uploads.push(upload)
    return ['append' in plan ? new Appending(world, upload, plan.append) : new Terminating(world, upload)]
  })
  return { operations, uploads }
}

/** Mostly parts, sometimes any upload. */
function joinable (world: World, numbers: number[]): Upload[] {
  const partial = world.uploads.filter(({ isPartial, isGone, size }) => isPartial && !isGone && size !== undefined)
  const from = partial.length > 0 && numbers[0] !== 7 ? partial : world.uploads
  return from.length > 0 ? numbers.map((number) => from[number % from.length] as Upload) : []
}

async function lookAt (world: World, uploads: Upload[]): Promise<void> {
  for (const upload of uploads) await world.compare(upload)
}

const onUpload = (run: (world: World, upload: Upload) => Promise<void> | void) =>
  async (world: World, number: number) => {
    const upload = pick(world, number)
    if (upload !== undefined) await run(world, upload)
  }

const request = step('request', plan, async (world, planned) => {
  const before = world.uploads.length
  const { operations: [operation], uploads } = plans(world, [planned])
  if (operation === undefined) return
  await alone(world, operation)
  await world.settle()
  await lookAt(world, [...uploads, ...world.uploads.slice(before)])
})

const atOnce = step('atOnce', fc.array(plan, { minLength: 2, maxLength: 3 }), async (world, planned) => {
  const before = world.uploads.length
  const { operations, uploads } = plans(world, planned)
  await together(world, operations)
  await world.settle()
  await lookAt(world, [...uploads, ...world.uploads.slice(before)])
})

const killWithin = (ms: number) => step('kill', fc.record({
  during: fc.array(plan, { maxLength: 3 }), afterMs: fc.double({ min: 0, max: ms, noNaN: true })
}), async (world, { during, afterMs }) => {
  world.count('kills')
  await killed(world, plans(world, during).operations, afterMs)
})

const shutDown = step('shutDown', fc.constant(null), async (world) => {
  world.count('shut down')
  for (const upload of world.uploads) world.widen(upload)
  assert.equal(await world.machine.shutDown(), 0)
  await world.restart()
})

/** Every kind of step; `deadly`: every how many steps the server ends; `mostMs`: how long after a request, at most. */
export function everyStep (deadly: number, mostMs: number): fc.Arbitrary<fc.AsyncCommand<World, World>>[] {
  const living = fc.oneof(
    { weight: 40, arbitrary: request },
    { weight: 8, arbitrary: atOnce },
    { weight: 6, arbitrary: step('inspect', which, onUpload((world, upload) => world.compare(upload))) },
    { weight: 4, arbitrary: step('read', which, onUpload(read)) },
    {
      weight: 8,
      arbitrary: step('beginBody', fc.record({
        to: which, share, first: share, guard: fc.constantFrom<OpenShape['guard']>('none', 'none', 'right', 'wrong')
      }), async (world, { to, ...shape }) => {
        const upload = pick(world, to)
        if (upload !== undefined) await beginBody(world, upload, shape)
      })
    },
    {
      weight: 4,
      arbitrary: step('feed', fc.tuple(which, share), (world, [number, share]) =>
        onUpload((world, upload) => feed(world, upload, share))(world, number))
    },
    {
      weight: 5,
      arbitrary: step('finishBody', which, onUpload(async (world, upload) => {
        await finishBody(world, upload)
        await world.compare(upload)
      }))
    },
    {
      weight: 3,
      arbitrary: step('cutBody', fc.tuple(which, fc.constantFrom('end' as const, 'reset' as const)),
        (world, [number, how]) => onUpload(async (world, upload) => {
          cutBody(world, upload, how)
          await world.settle()
          await world.compare(upload)
        })(world, number))
    },
    {
      weight: 2,
      arbitrary: step('stepClock', fc.constantFrom(-20, -20, 10, 10, 10, 25, 25, 70), (world, minutes) =>
        world.stepClock(minutes * MINUTE))
    },
    { weight: 2, arbitrary: step('sweep', fc.constant(null), (world) => world.machine.swept()) }
  )
  const ending = fc.oneof({ weight: 4, arbitrary: killWithin(mostMs) }, { weight: 1, arbitrary: shutDown })
  return [fc.oneof({ weight: deadly - 1, arbitrary: living }, { weight: 1, arbitrary: ending })]
}
