/** What the benchmark asks of a server in its own process, over the channel between parent and child. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The questions and the shape of their answers. */
export interface Questions {
  /** Collects garbage, where the process was started with `--expose-gc`. */
  collect: void
  /** Writes as many bytes as the server was started with. */
  write: void
  /** Begins to watch the event loop. */
  watch: void
  /** The longest delay of the event loop since `watch`, in ms. */
  longest: number
  /** Deletes what is expired; how many uploads that were. */
  sweep: number
}

export type Handlers = { [Name in keyof Questions]: () => Questions[Name] | Promise<Questions[Name]> }

/** A timer of this many ms notices delays: the least that the timers of Node.js can do. */
const RESOLUTION = 1
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })

const handlers: Handlers = {
  collect: () => {
    globalThis.gc?.()
  },
  write: () => { throw new Error('this server does not write by itself') },
  watch: () => {
    delay.enable()
    delay.reset()
  },
  longest: () => delay.max / 1e6,
  sweep: () => { throw new Error('this server does not sweep') }
}

/** Says how this server answers a question that not all can answer alike. */
export function answer<Name extends keyof Questions> (name: Name, handler: Handlers[Name]): void {
  handlers[name] = handler
}

/** Ends the process, and with it the run. */
export function fail (error: unknown): never {
  console.error(error)
  process.exit(1)
}

export function answerQuestions (): void {
  process.on('message', (name: keyof Questions) => {
    Promise.resolve(handlers[name]()).then((value) => process.send?.(value ?? null)).catch(fail)
  })
}
