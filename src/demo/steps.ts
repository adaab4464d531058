import type { Output } from './progress.ts'

/** Prints the steps of the demo, with their numbers. */
export class Steps {
  #output: Output
  #number = 0

  constructor (output: Output) {
    this.#output = output
  }

  /** Begins the next step. */
  say (text: string): void {
    this.#output.write(`${++this.#number}. ${text}\n`)
  }

  /** Adds a detail to the step. */
  note (text: string): void {
    this.#output.write(`   ${text}\n`)
  }
}
