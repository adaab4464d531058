import { byId } from './dom.ts'
import { applyRecipe } from './edit/recipe.ts'
import type { Change } from './edit-view.ts'
import { fingerprint } from './fingerprint.ts'
import type { Found, Picked } from './intake.ts'
import { makeLanes } from './lanes.ts'
import { alone, disown, makeId, own } from './ownership.ts'
import { alertVisitor } from './page-view.ts'
import type { Preferences } from './preferences.ts'
import { isOver } from './queue.ts'
import { restoreUpload } from './restore.ts'
import { isFinished } from './server.ts'
import { inOrder, readAhead } from './streams.ts'
import { examine, keep } from './settle.ts'
import { matchFile } from './sources.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import type { FileUpload } from './upload.ts'
import type { UploadList } from './upload-list.ts'
import { describeMismatch, describeNames } from './words.ts'

/** Files that are not in the list yet, and their bytes. */
export interface Left {
  count: number
  size: number
}

/** What is known of a file before it is in the list. */
interface Prepared {
  record: UploadRecord
  /** Where the server has it already. */
  known: string | null
  /** The upload of the same file that was begun before. */
  begun: UploadRecord | undefined
}

// How many files are looked at at the same time.
const atATime = 6

/** Makes uploads of the files that the visitor gives. */
export class Arrivals {
  #endpoint: string
  #preferences: Preferences
  #list: UploadList
  // The upload whose file the visitor was asked to choose.
  #expected: FileUpload | null = null
  // The input asks the visitor: no files now may still become some.
  #asking = false
  #intake = new AbortController()
  // One for each time that files are given, until they are all in the list.
  #lefts = new Set<Left>()
  // The fingerprints of files that will be in the list.
  #preparing = new Set<string>()

  constructor (endpoint: string, preferences: Preferences, list: UploadList) {
    this.#endpoint = endpoint
    this.#preferences = preferences
    this.#list = list
    const input = byId('files')
    input.addEventListener('click', () => { this.#asking = true })
    input.addEventListener('change', () => { this.#asking = false })
    input.addEventListener('cancel', () => {
      this.#asking = false
      this.#expected = null
    })
  }

  /** What comes next is meant to be the file of this upload. */
  expect (upload: FileUpload): void {
    this.#expected = upload
  }

  /** Takes files as they are found: for interrupted uploads that they belong to, or to be uploaded. */
  async add (batches: Iterable<Found[]> | AsyncIterable<Found[]>): Promise<void> {
    const { signal } = this.#intake
    const left: Left = { count: 0, size: 0 }
    this.#lefts.add(left)
    try {
      await this.#addAll(batches, left, signal)
    } finally {
      this.#lefts.delete(left)
      this.#list.renderSoon()
    }
  }

  /** Takes no more of the files that are being found now. */
  stop (): void {
    this.#intake.abort()
    this.#intake = new AbortController()
    this.#lefts.clear()
  }

  /** What was given and is not in the list yet; `null`: nothing is on its way there. */
  get left (): Left | null {
    if (this.#lefts.size === 0) return null
    const total = (key: keyof Left) => Array.from(this.#lefts).reduce((sum, left) => sum + left[key], 0)
    return { count: total('count'), size: total('size') }
  }

  async #addAll (
    batches: Iterable<Found[]> | AsyncIterable<Found[]>, left: Left, signal: AbortSignal
  ): Promise<void> {
    const expected = this.#expected
    const here: string[] = []
    const unreadable: string[] = []
    alertVisitor('')
    // So that the same reason, told again, is seen and read again.
    for (const upload of this.#list.wanting()) this.#list.rowOf(upload)?.complain('')
    const found = readAhead(batches, batch => this.#count(left, picksOf(batch), 1))
    for await (const batch of found) {
      if (signal.aborted) return
      if (batch.length > 0 || !this.#asking) this.#expected = null
      unreadable.push(...batch.filter(each => typeof each === 'string'))
      const picked = picksOf(batch)
      const unused = await this.#giveBack(picked)
      this.#count(left, picked.filter(each => !unused.has(each)), -1)
      const prepared = inOrder(Array.from(unused), atATime, each =>
        // What fails with one file does not keep the others.
        this.#prepare(each, expected, signal).catch(reportError))
      for await (const [each, result] of prepared) {
        this.#count(left, [each], -1)
        if (result === 'unreadable') unreadable.push(each.file.name)
        else if (result === 'here') here.push(each.file.name)
        else if (result) await this.#show(each, result, signal).catch(reportError)
        this.#list.startNext()
      }
    }
    const problems = [describeNames('unreadable', unreadable), describeNames('alreadyHere', here)].filter(Boolean)
    if (problems.length > 0) alertVisitor(problems.join(' '))
  }

  #count (left: Left, picked: readonly Picked[], sign: 1 | -1): void {
    for (const { file } of picked) {
      left.count += sign
      left.size += sign * file.size
    }
    this.#list.renderSoon()
  }

  /** Changes a file before it is sent; what was sent of it already is deleted, and it begins anew. */
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
    // By a second click, or cancelled in the meantime: it must not come back.
    if (isOver(upload)) return disown(changed.id)
    const state = upload.changeable ? upload.state : 'queued'
    changed.paused = state !== 'queued'
    const shown = this.#list.replace(upload, changed, body, state)
    Object.assign(shown, { original, others, handle: upload.handle })
    await store.putUpload(changed).catch(() => {})
    this.#settle(shown)
    this.#list.startNext()
  }

  // Gives files to the interrupted uploads that they belong to, and returns the others.
  async #giveBack (picked: readonly Picked[]): Promise<Set<Picked>> {
    const files = picked.map(({ file }) => file)
    const unused = new Set(picked)
    for (const upload of this.#list.wanting()) {
      const body = await matchFile(upload.record, files).catch(() => null)
      if (!body) continue
      const used = await findOwn(upload.record, picked)
      if (used) unused.delete(used)
      // Cancelled, or given its file, in the meantime: it must not come back, or be sent twice.
      if (this.#list.wanting().includes(upload)) this.#adopt(upload, body, used)
    }
    this.#list.startNext()
    return unused
  }

  // Finds out what to do with a file. `null`: nothing, or that was done.
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
    // Who looks at files before they are sent may want to change this one, or send it again.
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
    // Stopped in the meantime: nothing may be left behind.
    if (signal.aborted) upload.cancel()
    else if (known) upload.finishAt(known)
    else this.#settle(upload)
  }

  #adopt (upload: FileUpload, body: Blob, picked?: Picked): void {
    upload.adopt(body, picked?.file ?? null, picked?.handle ?? null)
    this.#settle(upload)
  }

  // What can wait until the upload is under way.
  #settle (upload: FileUpload): void {
    const onNews = () => this.#list.rowOf(upload)?.render()
    examine(upload, onNews)
    keep(upload, this.#preferences.copyCap, onNews).catch(() => {})
  }
}

function picksOf (found: readonly Found[]): Picked[] {
  return found.filter(each => typeof each !== 'string')
}

// The file that an upload is made from. Others may have its name, as those of other folders.
async function findOwn ({ file: { name }, fingerprint: print, recipe }: UploadRecord, picked: readonly Picked[]) {
  for (const each of picked.filter(({ file }) => file.name === name)) {
    if (await fingerprint(each.file, recipe).catch(() => null) === print) return each
  }
}

// Makes an upload this tab's own and remembers it. Where its file is on the way already it is that upload. In one go,
// or two tabs that are given the file at the same time would both send it.
function claim (record: UploadRecord): Promise<UploadRecord | undefined> {
  return alone(record.fingerprint, async () => {
    const same = await store.uploadsOf(record.fingerprint).catch(() => [])
    const begun = same.find(({ endpoint }) => endpoint === record.endpoint)
    if (begun) return begun
    await own(record.id)
    await store.putUpload(record).catch(() => {})
  })
}

// The URL of a file that was uploaded there before from this browser, if the server still has all of it.
async function findOnServer ({ fingerprint, endpoint }: UploadRecord): Promise<string | null> {
  const known = await store.finished(fingerprint).catch(() => undefined)
  return known?.endpoint === endpoint && await isFinished(known.url) ? known.url : null
}
