import { copyOf, fillBar, inside, write } from './dom.ts'
import { formatPercent } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'
import { isOver, isRunning } from './queue.ts'
import { StripView } from './strip-view.ts'
import type { FileUpload } from './upload.ts'
import { describeFailure, describeFigures, describeKept, describeState } from './words.ts'

/** What a visitor can do with one upload. */
export type RowAction = 'start' | 'allow' | 'chooseAgain' | 'retry' | 'resume' | 'pause' | 'cancel' | 'remove'

const possible: Record<RowAction, (upload: FileUpload) => boolean> = {
  start: ({ state }) => state === 'ready',
  allow: ({ state, missing }) => state === 'missing' && missing === 'permission',
  chooseAgain: ({ state, missing, failure }) =>
    (state === 'missing' && missing !== 'permission') || (state === 'failed' && failure?.reason === 'file'),
  retry: ({ state, wait }) => state === 'waiting' && wait?.why !== 'stalled',
  resume: ({ state, failure }) =>
    state === 'paused' || (state === 'failed' && failure?.reason !== 'file' && failure?.reason !== 'tooLarge'),
  pause: ({ state }) => state === 'uploading' || state === 'waiting' || state === 'queued',
  cancel: upload => !isOver(upload) && upload.state !== 'elsewhere',
  remove: ({ state }) => state === 'done'
}

/** One upload in the list. */
export class RowView {
  readonly node = copyOf('row')
  #upload: FileUpload
  #strip: StripView
  #buttons: HTMLButtonElement[]
  #problem = ''

  constructor (upload: FileUpload, onAction: (action: RowAction, upload: FileUpload) => void) {
    this.#upload = upload
    this.#strip = new StripView(inside(this.node, '.slices'))
    this.#buttons = Array.from(this.node.querySelectorAll<HTMLButtonElement>('[data-action]'))
    for (const button of this.#buttons) {
      button.addEventListener('click', () => onAction(button.dataset.action as RowAction, upload))
    }
    inside(this.node, '.name').id = `name-${upload.id}`
    inside(this.node, 'progress').setAttribute('aria-labelledby', `name-${upload.id}`)
    write(inside(this.node, '.kind'), upload.name.includes('.') ? upload.name.split('.').at(-1)?.slice(0, 4) ?? '' : '')
    this.render()
  }

  /** Tells in the row what went wrong with something that the visitor tried. */
  complain (words: string): void {
    this.#problem = words
    this.render()
  }

  render (): void {
    const upload = this.#upload
    const { name, size, accepted, sent, state, url } = upload
    this.node.dataset.state = state
    this.#write('.name', name)
    this.#write('.percent', state === 'done' ? '' : formatPercent(accepted, size, language()))
    this.#write('.state', describeState(upload, Date.now()))
    this.#write('.figures', describeFigures(upload))
    this.#write('.kept', isRunning(upload) || state === 'paused' ? describeKept(upload.kept) : '')
    if (state === 'uploading') this.#problem = ''
    this.#write('.problem', describeFailure(upload.failure) || this.#problem)
    fillBar(inside<HTMLProgressElement>(this.node, 'progress'), size > 0 ? accepted / size : Number(state === 'done'),
      size > 0 ? sent / size : 0)
    this.#strip.render(upload.lanes, upload.record.sliceSize)
    this.#renderButtons()
    const open = inside<HTMLAnchorElement>(this.node, '.open')
    // A server of somebody else's may have answered with any URL.
    open.hidden = state !== 'done' || !url || !/^https?:/.test(url)
    if (!open.hidden && url) open.href = url
    label(open, 'open', name)
  }

  #renderButtons (): void {
    const focused = document.activeElement
    for (const button of this.#buttons) {
      const action = button.dataset.action as RowAction
      button.hidden = !possible[action](this.#upload)
      label(button, action, this.#upload.name)
    }
    // A button that has done its work goes; the keyboard stays in the row.
    if (focused instanceof HTMLButtonElement && focused.hidden && this.#buttons.includes(focused)) {
      this.focus()
    }
  }

  /** Moves the keyboard to the first thing that can be done here. */
  focus (): void {
    (this.#buttons.find(button => !button.hidden) ?? inside(this.node, '.name')).focus()
  }

  #write (selector: string, words: string): void {
    write(inside(this.node, selector), words)
  }
}

function label (node: HTMLElement, key: TextKey & (RowAction | 'open'), name: string): void {
  write(node, text(key))
  node.setAttribute('aria-label', text(`${key}Named`, { name }))
}
