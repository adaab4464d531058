/** Questions that the benchmark asks a server process over the IPC channel. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** The questions and the types of their results. */
export interface Questions {
  /** Collects garbage if the process runs with `--expose-gc`. */
  collect: void
  /** Writes the configured number of bytes. */
  write: void
  /** Starts to monitor the event loop. */
  watch: void
  /** The longest delay of the event loop since `watch`, in ms. */
  longest: number
  /** Deletes expired uploads and returns their number. */
  sweep: number
  /** Passes requests on at once. */
  near: void
  /** Delays requests, as a server at a distance does. */
  far: void
  /** The number of requests since the last time. */
  counted: number
}

export type Handlers = { [Name in keyof Questions]: () => Questions[Name] | Promise<Questions[Name]> }

/** The resolution of the delay monitor, in ms: the minimum of the timers of Node.js. */
const RESOLUTION = 1
const delay = monitorEventLoopDelay({ resolution: RESOLUTION })

const notProxy = (): never => { throw new Error('this server is not a proxy') }

const handlers: Handlers = {
  collect: () => {
    globalThis.gc?.()
  },
  write: () => { throw new Error('this server does not write on its own') },
  watch: () => {
    delay.enable()
    delay.reset()
  },
  longest: () => delay.max / 1e6,
  sweep: () => { throw new Error('this server does not sweep') },
  near: notProxy,
  far: notProxy,
  counted: notProxy
}

/** Sets the handler of this server for a question. */
export function answer<Name extends keyof Questions> (name: Name, handler: Handlers[Name]): void {
  handlers[name] = handler
}

/** Ends the process and thereby the run. */
export function fail (error: unknown): never {
  console.error(error)
  process.exit(1)
}

export function answerQuestions (): void {
  process.on('message', (name: keyof Questions) => {
    Promise.resolve(handlers[name]()).then((value) => process.send?.(value ?? null)).catch(fail)
  })
}
