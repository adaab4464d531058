import type { RawResponse } from '../raw-request.ts'
import type { MaybeResponse } from './wire.ts'
import type { World } from './world.ts'

/** One request of a client, and its effects on the model. */
export interface Operation {
  /** Extends the possible states by all effects of the request, before it is sent. */
  may (world: World): void
  send (world: World): Promise<MaybeResponse>
  /** Applies the facts that hold for a response even with concurrent requests. */
  apply (world: World, response: RawResponse): void
  /** Checks the response to a request without concurrent ones. */
  judge (world: World, response: MaybeResponse): void
}

/** Sends a request while nothing else runs, and compares the state afterwards. */
export async function alone (world: World, operation: Operation): Promise<void> {
  operation.may(world)
  world.noteSweeps()
  const response = await operation.send(world)
  if (world.isExclusive) operation.judge(world, response)
  if (response !== undefined) operation.apply(world, response)
}

/** Sends two requests at the same time: only the facts in each response are certain. */
export async function together (world: World, operations: Operation[]): Promise<void> {
  for (const operation of operations) operation.may(world)
  world.noteSweeps()
  const responses = await Promise.all(operations.map((operation) => operation.send(world)))
  for (const [i, response] of responses.entries()) {
    if (response !== undefined) operations[i]?.apply(world, response)
  }
}

/** Kills the server some time after the request was sent; a response before that counts. */
export async function killed (world: World, operations: Operation[], afterMs: number): Promise<void> {
  for (const operation of operations) operation.may(world)
  world.noteSweeps()
  const sent = Promise.all(operations.map((operation) => operation.send(world)))
  await elapsed(afterMs)
  await world.machine.kill()
  for (const [i, response] of (await sent).entries()) {
    if (response !== undefined) operations[i]?.apply(world, response)
    world.count(response === undefined ? 'killed before the response' : 'killed after the response')
  }
  await world.restart()
}

/** Timers have a resolution of 1 ms; a step of the server takes less. */
async function elapsed (ms: number): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
}
