import { byId } from './dom.ts'
import { applyRecipe } from './edit/recipe.ts'
import type { Change } from './edit-view.ts'
import { fingerprint } from './fingerprint.ts'
import type { Found, Picked } from './intake.ts'
import { makeLanes } from './lanes.ts'
import { claim, findOnServer, findOwn } from './known-files.ts'
import { disown, makeId, own } from './ownership.ts'
import { alertVisitor } from './page-view.ts'
import type { Preferences } from './preferences.ts'
import { isOver } from './queue.ts'
import { PendingFiles } from './pending.ts'
import type { Left } from './pending.ts'
import { restoreUpload } from './restore.ts'
import { inOrder, readAhead } from './streams.ts'
import { examine, keep } from './settle.ts'
import { matchFile } from './sources.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import type { FileUpload } from './upload.ts'
import type { UploadList } from './upload-list.ts'
import { describeMismatch, describeNames } from './words.ts'

/** The facts about a file that is not in the list yet. */
interface Prepared {
  record: UploadRecord
  /** Its URL, if the server already has it. */
  known: string | null
  /** An earlier upload of the same file. */
  begun: UploadRecord | undefined
}

// How many files are read at the same time.
const atATime = 6

/** Creates uploads from the files that the visitor chooses. */
export class Arrivals {
  #endpoint: string
  #preferences: Preferences
  #list: UploadList
  // The upload whose file the visitor was asked to choose.
  #expected: FileUpload | null = null
  // The file input is open, so files may still come.
  #asking = false
  #intake = new AbortController()
  #pending: PendingFiles
  // The fingerprints of files that are about to enter the list.
  #preparing = new Set<string>()

  constructor (endpoint: string, preferences: Preferences, list: UploadList) {
    this.#endpoint = endpoint
    this.#preferences = preferences
    this.#list = list
    this.#pending = new PendingFiles(() => list.renderSoon())
    const input = byId('files')
    input.addEventListener('click', () => { this.#asking = true })
    input.addEventListener('change', () => { this.#asking = false })
    input.addEventListener('cancel', () => {
      this.#asking = false
      this.#expected = null
    })
  }

  /** Expects the next chosen file to be the file of this upload. */
  expect (upload: FileUpload): void {
    this.#expected = upload
  }

  /** Takes files as they are found. They resume the interrupted uploads they belong to, or become new uploads. */
  async add (batches: Iterable<Found[]> | AsyncIterable<Found[]>): Promise<void> {
    const { signal } = this.#intake
    const left = this.#pending.begin()
    try {
      await this.#addAll(batches, left, signal)
    } finally {
      this.#pending.end(left)
    }
  }

  /** Ignores the rest of the files that are being found now. */
  stop (): void {
    this.#intake.abort()
    this.#intake = new AbortController()
    this.#pending.clear()
  }

  /** The files that are not in the list yet; `null` if there are none. */
  get left (): Left | null {
    return this.#pending.total
  }

  async #addAll (
    batches: Iterable<Found[]> | AsyncIterable<Found[]>, left: Left, signal: AbortSignal
  ): Promise<void> {
    const expected = this.#expected
    const here: string[] = []
    const unreadable: string[] = []
    alertVisitor('')
    // Cleared, so that a repeated reason is shown and read out again.
    for (const upload of this.#list.wanting()) this.#list.rowOf(upload)?.complain('')
    const found = readAhead(batches, batch => this.#pending.count(left, picksOf(batch), 1))
    for await (const batch of found) {
      if (signal.aborted) return
      if (batch.length > 0 || !this.#asking) this.#expected = null
      unreadable.push(...batch.filter(each => typeof each === 'string'))
      const picked = picksOf(batch)
      const unused = await this.#giveBack(picked)
      this.#pending.count(left, picked.filter(each => !unused.has(each)), -1)
      const prepared = inOrder(Array.from(unused), atATime, each =>
        // A failure with one file does not affect the others.
        this.#prepare(each, expected, signal).catch(reportError))
      for await (const [each, result] of prepared) {
        this.#pending.count(left, [each], -1)
        if (result === 'unreadable') unreadable.push(each.file.name)
        else if (result === 'here') here.push(each.file.name)
        else if (result) await this.#show(each, result, signal).catch(reportError)
        this.#list.startNext()
      }
    }
    const problems = [describeNames('unreadable', unreadable), describeNames('alreadyHere', here)].filter(Boolean)
    if (problems.length > 0) alertVisitor(problems.join(' '))
  }

  /** Edits a file. If part of it was already uploaded, that part is deleted and the upload starts over. */
  async change (upload: FileUpload, { name, recipe, others }: Change): Promise<void> {
    const { original, record } = upload
    if (!original) return
    const body = await applyRecipe(original, recipe, others)
    const changed: UploadRecord = {
      ...record,
      id: makeId(),
      name,
      recipe,
      size: body.size,
      fingerprint: await fingerprint(original, recipe),
      lanes: makeLanes(body.size, this.#preferences.lanes, record.sliceSize),
      final: undefined
    }
    await own(changed.id)
    // Already replaced by an earlier click, or cancelled in the meantime.
    if (isOver(upload)) return disown(changed.id)
    const state = upload.changeable ? upload.state : 'queued'
    changed.paused = state !== 'queued'
    const shown = this.#list.replace(upload, changed, body, state)
    Object.assign(shown, { original, others, handle: upload.handle })
    await store.putUpload(changed).catch(() => {})
    this.#settle(shown)
    this.#list.startNext()
  }

  // Resumes the interrupted uploads that the files belong to, and returns the other files.
  async #giveBack (picked: readonly Picked[]): Promise<Set<Picked>> {
    const files = picked.map(({ file }) => file)
    const unused = new Set(picked)
    for (const upload of this.#list.wanting()) {
      const body = await matchFile(upload.record, files).catch(() => null)
      if (!body) continue
      const used = await findOwn(upload.record, picked)
      if (used) unused.delete(used)
      // If it was cancelled in the meantime, it must not come back. If it got its file, it must not be sent twice.
      if (this.#list.wanting().includes(upload)) this.#adopt(upload, body, used)
    }
    this.#list.startNext()
    return unused
  }

  // Decides about a file. `null`: there is nothing left to do.
  async #prepare (
    { file }: Picked, expected: FileUpload | null, signal: AbortSignal
  ): Promise<Prepared | 'unreadable' | 'here' | null> {
    if (signal.aborted) return null
    const wanting = this.#list.wanting().find(upload => upload === expected || upload.record.file.name === file.name)
    if (wanting) {
      this.#list.rowOf(wanting)?.complain(describeMismatch(wanting.record.file, file))
      return null
    }
    const print = await fingerprint(file).catch(() => null)
    if (!print) return 'unreadable'
    const isHere = this.#list.uploads.some(upload => !isOver(upload) && upload.record.fingerprint === print)
    if (isHere || this.#preparing.has(print)) return 'here'
    if (signal.aborted) return null
    this.#preparing.add(print)
    const { sliceSize, lanes, startAtOnce } = this.#preferences
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
    // A visitor who inspects files before the upload may want to edit this file or to upload it again.
    const known = startAtOnce ? await findOnServer(record) : null
    return { record, known, begun: known ? undefined : await claim(record) }
  }

  async #show ({ file, handle }: Picked, { record, known, begun }: Prepared, signal: AbortSignal): Promise<void> {
    this.#preparing.delete(record.fingerprint)
    if (begun) {
      await restoreUpload(begun, this.#list)
      const wanting = this.#list.wanting().find(({ id }) => id === begun.id)
      if (wanting) this.#adopt(wanting, file, { file, handle })
      return
    }
    const upload = this.#list.show(record, file, record.paused ? 'ready' : 'queued')
    Object.assign(upload, { original: file, handle })
    // Stopped in the meantime, so nothing may be left.
    if (signal.aborted) upload.cancel()
    else if (known) upload.finishAt(known)
    else this.#settle(upload)
  }

  #adopt (upload: FileUpload, body: Blob, picked?: Picked): void {
    upload.adopt(body, picked?.file ?? null, picked?.handle ?? null)
    this.#settle(upload)
  }

  // Work that can wait until the upload is running.
  #settle (upload: FileUpload): void {
    const onNews = () => this.#list.rowOf(upload)?.render()
    examine(upload, onNews)
    keep(upload, this.#preferences.copyCap, onNews).catch(() => {})
  }
}

function picksOf (found: readonly Found[]): Picked[] {
  return found.filter(each => typeof each !== 'string')
}
