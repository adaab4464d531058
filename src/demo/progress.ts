const MiB = 1024 * 1024

/** The destination of the progress, such as `process.stdout`. */
export interface Output {
  isTTY?: boolean
  write (text: string): unknown
}

/** Shows the progress of an upload: a moving bar in a terminal, otherwise a line for each tenth. */
export class Progress {
  #output: Output
  #total: number
  #from: number
  #now: () => number
  #startedAt: number
  #lastTenth: number
  #isBarShown = false

  constructor (output: Output, total: number, from = 0, now: () => number = Date.now) {
    this.#output = output
    this.#total = total
    this.#from = from
    this.#now = now
    this.#startedAt = now()
    this.#lastTenth = Math.floor(from * 10 / total)
  }

  update (bytes: number): void {
    const share = bytes / this.#total
    if (this.#output.isTTY) {
      this.#isBarShown = true
      this.#output.write(`\r   ${bar(share)} ${this.#text(bytes)}  `)
      return
    }
    const tenth = Math.floor(bytes * 10 / this.#total)
    if (tenth <= this.#lastTenth) return
    this.#lastTenth = tenth
    this.#output.write(`   ${this.#text(bytes)}\n`)
  }

  /** Ends the line of the bar, before other text. The next update begins another line. */
  end (): void {
    if (this.#isBarShown) this.#output.write('\n')
    this.#isBarShown = false
  }

  #text (bytes: number): string {
    const seconds = (this.#now() - this.#startedAt) / 1000
    const speed = seconds > 0 ? `  ${mebibytes((bytes - this.#from) / seconds)}/s` : ''
    return `${Math.floor(bytes * 100 / this.#total)} %`.padStart(5) + `  ${mebibytes(bytes)}${speed}`
  }
}

function bar (share: number): string {
  const width = 30
  const full = Math.floor(share * width)
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}]`
}

/** A number of bytes in a readable unit: "12.5 MiB". */
export function mebibytes (bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} bytes`
  return bytes < MiB / 10 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / MiB).toFixed(1)} MiB`
}
