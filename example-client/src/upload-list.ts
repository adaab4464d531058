import type { Left } from './pending.ts'
import { announce, note, noteChange } from './announcer.ts'
import { byId } from './dom.ts'
import type { Change } from './edit-view.ts'
import { disown } from './ownership.ts'
import { renderOverall } from './page-view.ts'
import { isOver, nextToStart } from './queue.ts'
import { RowView } from './row-view.ts'
import type { RowAction } from './row-view.ts'
import { getKeptCopy } from './sources.ts'
import type { State } from './state.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import { FileUpload } from './upload.ts'

export interface UploadListOptions {
  /** How many uploads may run in parallel now. */
  atATime: () => number
  onAction: (action: RowAction, upload: FileUpload) => void
  /** The visitor edits a file before its upload. */
  onChange: (upload: FileUpload, change: Change) => Promise<void>
  /** An upload is finished or deleted. */
  onEnd: () => void
  /** The files that are not in the list yet. */
  left: () => Left | null
}

/** The uploads of the page in order, each with its row. Starts them as the queue allows. */
export class UploadList {
  readonly uploads: FileUpload[] = []
  #rows = new Map<FileUpload, RowView>()
  #options: UploadListOptions
  #rendering: ReturnType<typeof setTimeout> | undefined
  #starting = false

  constructor (options: UploadListOptions) {
    this.#options = options
  }

  /** Inserts an upload at the end or before another. */
  show (record: UploadRecord, body: Blob | null, state: State, before?: FileUpload): FileUpload {
    const upload = new FileUpload(record, body, state, {
      onChange: changed => this.#changed(changed),
      getCopy: getKeptCopy,
      onRemember: record => { store.putUpload(record).catch(() => {}) },
      onEnd: ended => this.#ended(ended)
    })
    this.uploads.splice(before ? this.uploads.indexOf(before) : this.uploads.length, 0, upload)
    const row = new RowView(upload, {
      onAction: action => this.#options.onAction(action, upload),
      onChange: change => this.#options.onChange(upload, change),
      onEdit: () => {
        row.render()
        this.startNext()
      }
    })
    this.#rows.set(upload, row)
    byId('rows').insertBefore(row.node, before ? this.#rows.get(before)?.node ?? null : null)
    this.renderSoon()
    return upload
  }

  /** Replaces an upload with its edited version. The focus stays in the row. */
  replace (old: FileUpload, record: UploadRecord, body: Blob, state: State): FileUpload {
    const focused = this.#rows.get(old)?.node.contains(document.activeElement)
    const upload = this.show(record, body, state, old)
    if (focused) this.#rows.get(upload)?.focusInside()
    noteChange(old, upload)
    old.cancel()
    return upload
  }

  /** Removes an upload from the list. The focus moves to its neighbour. */
  remove (upload: FileUpload): void {
    const row = this.#rows.get(upload)
    const index = this.uploads.indexOf(upload)
    if (!row || index < 0) return
    const focused = row.node.contains(document.activeElement)
    this.uploads.splice(index, 1)
    this.#rows.delete(upload)
    row.node.remove()
    const neighbour = this.uploads[index] ?? this.uploads[index - 1]
    row.close()
    if (focused) (neighbour ? this.#rows.get(neighbour) : byId('choose'))?.focus()
    this.renderSoon()
  }

  /** Starts the next uploads. Uploads that the visitor is editing wait. */
  startNext (): void {
    const settled = this.uploads.filter(upload => !this.#rows.get(upload)?.isEditing)
    for (const upload of nextToStart(settled, this.#options.atATime())) upload.begin()
  }

  /** Uploads that resume when they get their file. */
  wanting (): FileUpload[] {
    return this.uploads.filter(({ state, failure }) =>
      state === 'missing' || (state === 'failed' && failure?.reason === 'file'))
  }

  /** Uploads that are not over and do not belong to another tab. */
  open (): FileUpload[] {
    return this.uploads.filter(upload => !isOver(upload) && upload.state !== 'elsewhere')
  }

  /** The row of an upload in the list. */
  rowOf (upload: FileUpload): RowView | undefined {
    return this.#rows.get(upload)
  }

  render (): void {
    for (const row of this.#rows.values()) row.render()
    renderOverall(this.uploads, this.#options.left())
  }

  /** Renders the countdowns. */
  tick (): void {
    for (const upload of this.uploads) if (upload.state === 'waiting') this.#rows.get(upload)?.render()
  }

  #changed (upload: FileUpload): void {
    // The row of a cancelled upload disappears at once.
    if (upload.state !== 'cancelled') this.#rows.get(upload)?.render()
    note(upload)
    this.renderSoon()
    this.#startSoon()
  }

  /** Renders all changes together. Hidden pages get no animation frames, but their title changes. */
  renderSoon (): void {
    this.#rendering ??= setTimeout(() => {
      this.#rendering = undefined
      const left = this.#options.left()
      renderOverall(this.uploads, left)
      announce(this.uploads, left?.size)
    }, 50)
  }

  // Deferred until an action on several uploads is complete. Otherwise an upload that is being paused could start.
  #startSoon (): void {
    if (this.#starting) return
    this.#starting = true
    queueMicrotask(() => {
      this.#starting = false
      this.startNext()
    })
  }

  #ended (upload: FileUpload): void {
    const { id, fingerprint, endpoint } = upload.record
    // Deleted before the lock is released, so that a waiting tab does not find the record.
    store.delete(id).catch(() => {}).finally(() => disown(id))
    this.#options.onEnd()
    if (upload.state === 'cancelled') this.remove(upload)
    else if (upload.url) {
      store.putFinished({ fingerprint, endpoint, url: upload.url, finishedAt: Date.now() }).catch(() => {})
    }
  }
}
