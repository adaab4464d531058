import { inside, write } from './dom.ts'
import { formatBytes } from './format.ts'
import { language, text } from './i18n.ts'
import { countSlices, makeStrip } from './lanes.ts'
import type { Lane } from './lanes.ts'

// Fits into one line on a phone.
const mostCells = 64

/** The squares of a file, which show accepted, sent and waiting slices. */
export class StripView {
  #strip: HTMLElement
  #hint: HTMLElement
  #drawn: string[] = []

  constructor (row: HTMLElement) {
    this.#strip = inside(row, '.strip')
    this.#hint = inside(row, '.strip-hint')
  }

  render (lanes: readonly Lane[], sliceSize: number): void {
    const { cells, slicesInCell } = makeStrip(lanes, sliceSize, mostCells)
    if (this.#drawn.length !== cells.length) {
      this.#strip.replaceChildren(...cells.map(() => document.createElement('i')))
      this.#drawn = cells.map(() => '')
    }
    cells.forEach(({ accepted, sent, busy }, index) => {
      const style = `--accepted:${percent(accepted)};--sent:${percent(sent)};--busy:${Number(busy)}`
      if (this.#drawn[index] === style) return
      this.#drawn[index] = style
      const cell = this.#strip.children[index] as HTMLElement
      cell.style.cssText = style
      cell.className = accepted === 1 ? 'accepted' : busy ? 'sending' : ''
    })
    const words = describe(lanes, sliceSize)
    this.#strip.setAttribute('aria-label', words)
    const squares = slicesInCell > 1 ? ` ${text('stripGrouped', { count: slicesInCell })}` : ''
    write(this.#hint, words + squares)
  }
}

function describe (lanes: readonly Lane[], sliceSize: number): string {
  const counts = countSlices(lanes, sliceSize)
  return text(counts.sending > 0 ? 'strip' : 'stripStill', { ...counts, size: formatBytes(sliceSize, language()) })
}

function percent (share: number): string {
  return `${(share * 100).toFixed(1)}%`
}
