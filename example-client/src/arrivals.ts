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
import { examine, keep } from './settle.ts'
import { matchFile } from './sources.ts'
import { store } from './store.ts'
import type { UploadRecord } from './store.ts'
import type { FileUpload } from './upload.ts'
import type { UploadList } from './upload-list.ts'
import { describeMismatch, describeNames } from './words.ts'

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
    const expected = this.#expected
    const here: string[] = []
    const unreadable: string[] = []
    alertVisitor('')
    // So that the same reason, told again, is seen and read again.
    for (const upload of this.#list.wanting()) this.#list.rowOf(upload)?.complain('')
    for await (const found of batches) {
      if (found.length > 0 || !this.#asking) this.#expected = null
      unreadable.push(...found.filter(each => typeof each === 'string'))
      const picked = found.filter(each => typeof each !== 'string')
      for (const each of await this.#giveBack(picked)) {
        if (signal.aborted) return
        const wanting = this.#list.wanting().find(upload =>
          upload === expected || upload.record.file.name === each.file.name)
        if (wanting) {
          this.#list.rowOf(wanting)?.complain(describeMismatch(wanting.record.file, each.file))
        } else {
          const print = await fingerprint(each.file).catch(() => null)
          // What fails with one file does not keep the others.
          const adding = print && this.#addNew(each, print, signal).catch(reportError)
          if (!adding) unreadable.push(each.file.name)
          else if (await adding === false) here.push(each.file.name)
        }
        this.#list.startNext()
      }
    }
    const problems = [describeNames('unreadable', unreadable), describeNames('alreadyHere', here)].filter(Boolean)
    if (problems.length > 0) alertVisitor(problems.join(' '))
  }

  /** Takes no more of the files that are being found now. */
  stop (): void {
    this.#intake.abort()
    this.#intake = new AbortController()
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

  // `false`: it is in the list already.
  async #addNew ({ file, handle }: Picked, print: string, signal: AbortSignal): Promise<boolean> {
    const { sliceSize, lanes, startAtOnce } = this.#preferences
    if (this.#list.uploads.some(upload => !isOver(upload) && upload.record.fingerprint === print)) return false
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
    const begun = known ? undefined : await claim(record)
    if (begun) {
      await restoreUpload(begun, this.#list)
      const wanting = this.#list.wanting().find(({ id }) => id === begun.id)
      if (wanting) this.#adopt(wanting, file, { file, handle })
      return true
    }
    const upload = this.#list.show(record, file, startAtOnce ? 'queued' : 'ready')
    Object.assign(upload, { original: file, handle })
    // Stopped in the meantime: nothing may be left behind.
    if (signal.aborted) upload.cancel()
    else if (known) upload.finishAt(known)
    else this.#settle(upload)
    return true
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
