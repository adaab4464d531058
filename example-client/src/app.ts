import { announce } from './announcer.ts'
import { byId } from './dom.ts'
import { findLayout } from './edit/faststart.ts'
import { applyRecipe } from './edit/recipe.ts'
import type { Change } from './edit-view.ts'
import { fingerprint } from './fingerprint.ts'
import { text } from './i18n.ts'
import { readMedia } from './inspect/media.ts'
import type { Picked } from './intake.ts'
import { filesAtATime, makeLanes } from './lanes.ts'
import { disown, makeId, own, ownWhenFree } from './ownership.ts'
import { alertVisitor, renderOverall } from './page-view.ts'
import type { Preferences } from './preferences.ts'
import { isOver, nextToStart } from './queue.ts'
import { RowView } from './row-view.ts'
import type { RowAction } from './row-view.ts'
import { askOffset, isFinished } from './server.ts'
import { keepSource, matchFile, restoreSource } from './sources.ts'
import type { State } from './state.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import { FileUpload } from './upload.ts'
import { watch } from './watch-dialog.ts'
import { describeMismatch } from './words.ts'

export interface AppOptions {
  /** Lets the visitor choose files. */
  choose: () => void
  /** An upload is finished, or was deleted. */
  onEnd: () => void
}

/** The list of uploads: takes files in, gives each its turn, and brings back what a reload has interrupted. */
export class App {
  readonly uploads: FileUpload[] = []
  #endpoint: string
  #preferences: Preferences
  #rows = new Map<FileUpload, RowView>()
  /** The upload whose file the visitor was asked to choose. */
  #expecting: FileUpload | null = null
  #options: AppOptions
  // One after the other: each may hold a decoder.
  #examined: Promise<void> = Promise.resolve()

  constructor (endpoint: string, preferences: Preferences, options: AppOptions) {
    this.#endpoint = endpoint
    this.#preferences = preferences
    this.#options = options
  }

  /** Brings back what is unfinished from earlier visits. */
  async restore (): Promise<void> {
    const records = await store.uploads(Date.now()).catch(() => {
      alertVisitor(text('noStorage'))
      return []
    })
    for (const record of records.filter(({ endpoint }) => endpoint === this.#endpoint)) {
      if (await own(record.id)) await this.#bringBack(record)
      else this.#watchOther(record)
    }
  }

  /** Takes files that the visitor gave: for interrupted uploads that they belong to, or to be uploaded. */
  async add (picked: readonly Picked[]): Promise<void> {
    if (picked.length === 0) return
    alertVisitor('')
    const expected = this.#expecting
    this.#expecting = null
    const files = picked.map(({ file }) => file)
    const unused = new Set(picked)
    for (const upload of this.#wanting()) {
      const body = await matchFile(upload.record, files).catch(() => null)
      if (!body) continue
      const used = picked.filter(({ file }) => file.name === upload.record.file.name)
      for (const each of used) unused.delete(each)
      upload.adopt(body, used[0]?.file ?? null, used[0]?.handle ?? null)
      this.#settle(upload)
    }
    for (const each of unused) {
      const wanting = this.#wanting().find(upload => upload === expected || upload.record.file.name === each.file.name)
      if (wanting) this.#rows.get(wanting)?.complain(describeMismatch(wanting.record.file, each.file))
      else await this.#addNew(each).catch(() => alertVisitor(text('failureFile')))
    }
    this.#pump()
  }

  act (action: RowAction, upload: FileUpload): void {
    switch (action) {
      case 'start':
      case 'resume':
        upload.resume()
        break
      case 'pause':
        upload.pause()
        break
      case 'retry':
        upload.retryNow()
        break
      case 'cancel':
        upload.cancel()
        break
      case 'watch':
        if (upload.url) watch(upload.url, upload.name, upload.record.type)
        break
      case 'remove':
        this.#remove(upload)
        break
      case 'allow':
        this.continueAll([upload]).catch(reportError)
        break
      case 'chooseAgain':
        this.#expecting = upload
        this.#options.choose()
        break
    }
    this.#pump()
  }

  /** Asks the browser for the files whose handles it has; must be called on a click. */
  async continueAll (uploads = this.uploads): Promise<void> {
    for (const upload of uploads.filter(({ state, missing }) => state === 'missing' && missing === 'permission')) {
      await this.#takeSource(upload, true)
    }
    this.#pump()
  }

  pauseAll (): void {
    for (const upload of [...this.uploads].reverse()) {
      if (['queued', 'uploading', 'waiting'].includes(upload.state)) upload.pause()
    }
  }

  resumeAll (): void {
    for (const upload of this.uploads) if (['ready', 'paused'].includes(upload.state)) upload.resume()
    this.#pump()
  }

  cancelAll (): void {
    // From the end, or each place that becomes free would begin another upload.
    for (const upload of [...this.uploads].reverse()) {
      if (!isOver(upload) && upload.state !== 'elsewhere') upload.cancel()
    }
  }

  clearDone (): void {
    for (const upload of this.uploads.filter(({ state }) => state === 'done')) this.#remove(upload)
  }

  /** Tries again at once whatever waits: the network is back, or the visitor is. */
  wake (): void {
    for (const upload of this.uploads) upload.retryNow()
  }

  render (): void {
    for (const row of this.#rows.values()) row.render()
    renderOverall(this.uploads)
  }

  /** Renders what counts seconds. */
  tick (): void {
    for (const upload of this.uploads) if (upload.state === 'waiting') this.#rows.get(upload)?.render()
  }

  async #addNew ({ file, handle }: Picked): Promise<void> {
    const { sliceSize, lanes, startAtOnce } = this.#preferences
    const print = await fingerprint(file)
    if (this.uploads.some(upload => !isOver(upload) && upload.record.fingerprint === print)) {
      return alertVisitor(text('alreadyHere', { name: file.name }))
    }
    const record: UploadRecord = {
      id: makeId(),
      endpoint: this.#endpoint,
      name: file.name,
      size: file.size,
      type: file.type,
      file: { name: file.name, size: file.size, lastModified: file.lastModified },
      fingerprint: print,
      recipe: [],
      sliceSize,
      lanes: makeLanes(file.size, lanes, sliceSize),
      paused: !startAtOnce,
      addedAt: Date.now()
    }
    await own(record.id)
    const known = await findOnServer(print)
    const upload = this.#show(record, file, startAtOnce || known ? 'queued' : 'ready')
    Object.assign(upload, { original: file, handle })
    if (known) return upload.finishAt(known)
    await store.putUpload(record).catch(() => {})
    this.#settle(upload)
  }

  /** Changes a file before it is sent; what was sent of it already is deleted, and it begins anew. */
  async change (upload: FileUpload, { name, recipe, others }: Change): Promise<void> {
    const { original, record, state } = upload
    if (!original) return
    const body = await applyRecipe(original, recipe, others)
    const changed: UploadRecord = {
      ...record,
      id: makeId(),
      name,
      recipe,
      size: body.size,
      fingerprint: await fingerprint(original, recipe),
      lanes: makeLanes(body.size, this.#preferences.lanes, record.sliceSize)
    }
    await own(changed.id)
    const shown = this.#show(changed, body, state === 'ready' ? 'ready' : 'queued', upload)
    Object.assign(shown, { original, others, handle: upload.handle })
    upload.cancel()
    await store.putUpload(changed).catch(() => {})
    this.#settle(shown)
    this.#pump()
  }

  // What can wait until the upload is under way: what it needs after a reload, and what it looks like.
  #settle (upload: FileUpload): void {
    const { body, record, handle } = upload
    if (!body) return
    this.#examined = this.#examined.then(() => this.#examine(upload, body)).catch(reportError)
    keepSource(record, body, handle, this.#preferences.copyCap).then(kept => {
      // Finished in the meantime: nothing may be left behind.
      if (isOver(upload)) return store.delete(record.id)
      upload.kept = kept
      this.#rows.get(upload)?.render()
    }).catch(() => {})
  }

  async #examine (upload: FileUpload, body: Blob): Promise<void> {
    upload.layout = await findLayout(body).catch(() => 'none')
    this.#rows.get(upload)?.render()
    if (!/^(video|image)\//.test(body.type)) return
    upload.poster = (await readMedia(body))?.poster ?? null
    this.#rows.get(upload)?.render()
  }

  async #bringBack (record: UploadRecord): Promise<void> {
    const upload = this.#show(record, null, 'missing')
    await this.#takeSource(upload, false)
    this.#pump()
  }

  async #takeSource (upload: FileUpload, ask: boolean): Promise<void> {
    const found = await restoreSource(upload.record, ask)
    if (typeof found === 'string') {
      upload.lose(found)
      // What was remembered may be older than what the server has.
      return upload.learn(await Promise.all(upload.lanes.map(lane => askOffset(lane.url))))
    }
    const { paused } = upload.record
    upload.kept = found.kept
    upload.adopt(found.body, found.original, found.handle)
    if (paused && !ask) upload.pause(upload.begun ? 'paused' : 'ready')
    this.#examined = this.#examined.then(() => this.#examine(upload, found.body)).catch(reportError)
  }

  // Shows what another tab uploads, and takes it over when that tab has let go of it.
  #watchOther (record: UploadRecord): void {
    const shown = this.#show(record, null, 'elsewhere')
    ownWhenFree(record.id).then(async () => {
      this.#remove(shown)
      const left = await store.upload(record.id).catch(() => undefined)
      if (left) await this.#bringBack(left)
    }).catch(reportError)
  }

  #show (record: UploadRecord, body: Blob | null, state: State, before?: FileUpload): FileUpload {
    const upload = new FileUpload(record, body, state, {
      onChange: changed => this.#changed(changed),
      onRemember: record => { store.putUpload(record).catch(() => {}) },
      onEnd: ended => this.#ended(ended)
    })
    const index = before ? this.uploads.indexOf(before) : this.uploads.length
    this.uploads.splice(index, 0, upload)
    const row = new RowView(upload, {
      onAction: action => this.act(action, upload),
      onChange: change => this.change(upload, change)
    })
    this.#rows.set(upload, row)
    byId('rows').insertBefore(row.node, byId('rows').children[index] ?? null)
    renderOverall(this.uploads)
    return upload
  }

  #changed (upload: FileUpload): void {
    this.#rows.get(upload)?.render()
    announce(upload, this.uploads)
    renderOverall(this.uploads)
    this.#pump()
  }

  #ended (upload: FileUpload): void {
    const { id, fingerprint } = upload.record
    store.delete(id).catch(() => {})
    disown(id)
    this.#options.onEnd()
    if (upload.state === 'cancelled') this.#remove(upload)
    else if (upload.url) store.putFinished({ fingerprint, url: upload.url, finishedAt: Date.now() }).catch(() => {})
  }

  #remove (upload: FileUpload): void {
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
    renderOverall(this.uploads)
  }

  #wanting (): FileUpload[] {
    return this.uploads.filter(({ state, failure }) =>
      state === 'missing' || (state === 'failed' && failure?.reason === 'file'))
  }

  #pump (): void {
    for (const upload of nextToStart(this.uploads, filesAtATime(this.#preferences.lanes))) {
      // Beginning one tells of a change, and so may have begun the next.
      if (upload.state === 'queued') upload.begin()
    }
  }
}

// The URL of a file that was uploaded before from this browser, if the server still has all of it.
async function findOnServer (fingerprint: string): Promise<string | null> {
  const known = await store.finished(fingerprint).catch(() => undefined)
  return known && await isFinished(known.url) ? known.url : null
}
