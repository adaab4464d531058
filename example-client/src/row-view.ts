import { copyOf, fillBar, inside, write } from './dom.ts'
import { EditView } from './edit-view.ts'
import type { Change } from './edit-view.ts'
import { text } from './i18n.ts'
import type { TextKey } from './i18n.ts'
import { InspectView } from './inspect-view.ts'
import { alertVisitor } from './page-view.ts'
import { isAskable, isOver, isResumable, isRunning } from './queue.ts'
import { StripView } from './strip-view.ts'
import type { FileUpload } from './upload.ts'
import { describeFailure, describeFigures, describeKept, describePercent, describeState } from './words.ts'

/** The actions of the visitor on an upload. */
export type RowAction =
  | 'start' | 'allow' | 'chooseAgain' | 'retry' | 'resume' | 'pause' | 'watch' | 'cancel' | 'remove'

const possible: Record<RowAction, (upload: FileUpload) => boolean> = {
  start: ({ state }) => state === 'ready',
  allow: isAskable,
  chooseAgain: ({ state, missing, failure }) =>
    (state === 'missing' && missing !== 'permission') || (state === 'failed' && failure?.reason === 'file'),
  retry: ({ state, wait }) => state === 'waiting' && wait?.why !== 'stalled',
  resume: upload => upload.state !== 'ready' && isResumable(upload),
  pause: ({ state }) => state === 'uploading' || state === 'waiting' || state === 'queued',
  watch: ({ state, url, record }) => /^(video|audio)\//.test(record.type) && url !== null && state !== 'cancelled',
  cancel: upload => !isOver(upload) && upload.state !== 'elsewhere',
  remove: ({ state }) => state === 'done'
}

export interface RowOptions {
  onAction: (action: RowAction) => void
  onChange: (change: Change) => Promise<void>
  /** A reason to hold the upload back may have changed. */
  onEdit: () => void
}

/** The row of an upload in the list. */
export class RowView {
  readonly node = copyOf('row')
  #upload: FileUpload
  #strip: StripView
  #buttons: HTMLButtonElement[]
  #problem = ''

  #inspect: InspectView
  #edit: EditView | null = null
  #onChange: RowOptions['onChange']
  #onEdit: RowOptions['onEdit']

  constructor (upload: FileUpload, { onAction, onChange, onEdit }: RowOptions) {
    this.#upload = upload
    this.#onChange = onChange
    this.#onEdit = onEdit
    this.#strip = new StripView(this.node)
    this.#buttons = Array.from(this.node.querySelectorAll<HTMLButtonElement>('[data-action]'))
    for (const button of this.#buttons) {
      button.addEventListener('click', () => onAction(button.dataset.action as RowAction))
    }
    inside(this.node, '.name').id = `name-${upload.id}`
    inside(this.node, 'progress').setAttribute('aria-labelledby', `name-${upload.id}`)
    write(inside(this.node, '.kind'), upload.name.includes('.') ? upload.name.split('.').at(-1)?.slice(0, 4) ?? '' : '')
    this.#inspect = new InspectView(upload)
    const details = inside<HTMLDetailsElement>(this.node, '.inside')
    details.append(this.#inspect.node)
    details.addEventListener('toggle', () => {
      if (details.open) this.#inspect.open().catch(reportError)
      else this.#inspect.close()
      onEdit()
    })
    inside(this.node, '[data-offer]').addEventListener('click', () => {
      const { record, others } = this.#upload
      onChange({ name: upload.name, recipe: [...record.recipe, { op: 'faststart' }], others })
        // Not in the row, which clears its problem while uploading.
        .catch(() => alertVisitor(text('editFailedNamed', { name: upload.name })))
    })
    this.render()
  }

  /** Whether the visitor has unapplied edits, which an upload would lose. */
  get isEditing (): boolean {
    const { open } = inside<HTMLDetailsElement>(this.node, '.inside')
    return open && this.#upload.changeable && this.#edit?.touched === true
  }

  /** Releases the resources of the preview. */
  close (): void {
    this.#inspect.close()
  }

  /** Shows in the row why an action failed. */
  complain (words: string): void {
    this.#problem = words
    this.render()
  }

  render (): void {
    const upload = this.#upload
    const { name, size, accepted, sent, state, url } = upload
    this.node.dataset.state = state
    this.#write('.name', name)
    this.#write('.percent', describePercent(upload))
    this.#write('.state', state === 'queued' && this.isEditing
      ? text('stateEditing')
      : describeState(upload, Date.now()))
    this.#write('.figures', describeFigures(upload))
    this.#write('.kept', isRunning(upload) || state === 'paused' ? describeKept(upload) : '')
    if (state === 'uploading') this.#problem = ''
    this.#write('.problem', this.#problem || describeFailure(upload.failure))
    fillBar(inside<HTMLProgressElement>(this.node, 'progress'), size > 0 ? accepted / size : Number(state === 'done'),
      size > 0 ? sent / size : 0)
    this.#strip.render(upload.lanes, upload.record.sliceSize)
    this.#renderButtons()
    this.#renderInside()
    const open = inside<HTMLAnchorElement>(this.node, '.open')
    // Another server may respond with any URL.
    open.hidden = state !== 'done' || !url || !/^https?:/.test(url)
    if (!open.hidden && url) open.href = url
    label(open, 'open', name)
  }

  #renderInside (): void {
    const { body, poster, layout, state, original, changeable, begun, name } = this.#upload
    const thumb = inside(this.node, '.thumb')
    thumb.style.backgroundImage = poster ? `url(${poster})` : ''
    thumb.classList.toggle('has-poster', poster !== null)
    inside(thumb, '.kind').hidden = poster !== null
    const details = inside<HTMLDetailsElement>(this.node, '.inside')
    details.hidden = !body
    this.#write('.inside > summary', text(changeable ? 'lookOrChange' : 'look'))
    inside(this.node, '.inside > summary').setAttribute('aria-label',
      text(changeable ? 'lookOrChangeNamed' : 'lookNamed', { name }))
    inside(this.node, '.offer').hidden = layout !== 'end' || !original || state === 'done' || state === 'failed'
    this.#write('.offer p', text('offer'))
    this.#write('[data-offer]', text(begun ? 'offerAgain' : 'offerMove'))
    this.#inspect.render()
    // Created on demand, because browsers repeatedly scan all fields of a page for autofill.
    if (changeable && details.open && !this.#edit) {
      this.#edit = new EditView(this.#upload, this.#onEdit, this.#onChange)
      this.#inspect.node.after(this.#edit.node)
    }
    if (!this.#edit) return
    this.#edit.render()
    const focused = this.#edit.node.contains(document.activeElement)
    this.#edit.node.hidden = !changeable
    // The form disappears on submit, so the focus moves within the row.
    if (focused && !changeable) this.focusInside()
  }

  #renderButtons (): void {
    const focused = document.activeElement
    for (const button of this.#buttons) {
      const action = button.dataset.action as RowAction
      button.hidden = !possible[action](this.#upload)
      label(button, action, this.#upload.name)
    }
    // The button disappears, so the focus moves within the row.
    if (focused instanceof HTMLButtonElement && focused.hidden && this.#buttons.includes(focused)) {
      this.focus()
    }
  }

  /** Moves the focus to the first available action. */
  focus (): void {
    (this.#buttons.find(button => !button.hidden) ?? inside(this.node, '.name')).focus()
  }

  /** Moves the focus to the control that opens the preview and the form. */
  focusInside (): void {
    inside(this.node, '.inside > summary').focus()
  }

  #write (selector: string, words: string): void {
    write(inside(this.node, selector), words)
  }
}

function label (node: HTMLElement, key: TextKey & (RowAction | 'open'), name: string): void {
  write(node, text(key))
  node.setAttribute('aria-label', text(`${key}Named`, { name }))
}
