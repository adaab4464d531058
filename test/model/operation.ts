import type { RawResponse } from '../raw-request.ts'
import type { Answer } from './wire.ts'
import type { World } from './world.ts'

/** One request of a client, and what it means to the model. */
export interface Operation {
  /** Widens what may be true by all that the request may do, before it is sent. */
  may (world: World): void
  send (world: World): Promise<Answer>
  /** What an answer alone tells, whatever else happened at the same time. */
  heard (world: World, answer: RawResponse): void
  /** Judges the answer to a request that was alone. */
  judge (world: World, answer: Answer): void
}

/** Sends a request while nothing else goes on, and asks for the truth afterwards. */
export async function alone (world: World, operation: Operation): Promise<void> {
  operation.may(world)
  world.noteFinals()
  const answer = await operation.send(world)
  operation.judge(world, answer)
  if (answer !== undefined) operation.heard(world, answer)
}

/** Sends two requests at the same time: only what each answer tells is sure. */
export async function together (world: World, operations: Operation[]): Promise<void> {
  for (const operation of operations) operation.may(world)
  world.noteFinals()
  const answers = await Promise.all(operations.map((operation) => operation.send(world)))
  for (const [i, answer] of answers.entries()) {
    if (answer !== undefined) operations[i]?.heard(world, answer)
  }
}

/** Kills the server some time after the request was sent; an answer that came before counts. */
export async function killed (world: World, operations: Operation[], afterMs: number): Promise<void> {
  for (const operation of operations) operation.may(world)
  world.noteFinals()
  const sent = Promise.all(operations.map((operation) => operation.send(world)))
  await elapsed(afterMs)
  await world.machine.kill()
  for (const [i, answer] of (await sent).entries()) {
    if (answer !== undefined) operations[i]?.heard(world, answer)
    world.count(answer === undefined ? 'killed before the answer' : 'killed after the answer')
  }
  await world.restart()
}

/** Timers are as exact as 1 ms; what happens in the server is over in less. */
async function elapsed (ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
}
