import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Machine, type Place } from './machine.ts'
import {
  idOf, isPending, isWhole, learn, mayBeExpired, mayHaveWholeParts, miss, type Now, type OpenBody, touch, type Upload
} from './model.ts'
import { type Answer, type BodyShape, answerOf, checkAnswer, isOfParser, send } from './wire.ts'
import { checkNotes } from './notes.ts'

/** How often something happened, by its name. */
export type Tally = Map<string, number>

/** One run: the server, its directory, and what its clients know. */
export class World {
  readonly uploads: Upload[] = []
  readonly machine: Machine
  readonly period: number
  readonly tally: Tally
  readonly #place: Place
  /** Bodies that other requests end. */
  readonly #ending: OpenBody[] = []
  readonly #compared = new Map<Upload, string>()
  /** How many creations had no answer: each may have left an upload that no client knows. */
  unheard = 0

  constructor (machine: Machine, place: Place, { period, tally }: { period: number, tally: Tally }) {
    this.machine = machine
    this.#place = place
    this.period = period
    this.tally = tally
  }

  async begin (): Promise<void> {
    await mkdir(this.#place.directory, { recursive: true })
    await this.machine.moveTo(this.#place)
  }

  get clock (): Now {
    return { now: Date.now() + this.machine.movedBy, period: this.period }
  }

  count (what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1)
  }

  async send (method: string, target: string, headers?: Record<string, string>, shape?: BodyShape): Promise<Answer> {
    const answer = await send(this.machine.base, method, target, headers, shape)
    this.count(`${method} ${answer?.status ?? 'unanswered'}`)
    return answer
  }

  /** Asks the server for the truth about an upload, and compares. */
  async look (upload: Upload): Promise<void> {
    this.widen(upload)
    const answer = await this.send('HEAD', upload.location)
    assert(answer, 'HEAD is not answered')
    if (answer.status === 404 || answer.status === 410) miss(upload, answer.status, this.clock)
    else {
      assert.equal(answer.status, 200)
      const number = (name: string) => answer.headers[name] === undefined ? undefined : Number(answer.headers[name])
      const expires = answer.headers['upload-expires']
      learn(upload, {
        offset: number('upload-offset'),
        size: number('upload-length'),
        expires: expires === undefined ? undefined : Date.parse(expires)
      }, this.clock)
    }
    await this.settle()
  }

  /** A request that takes the lock ends the body that is on its way: as much of it as was sent may count. */
  widen (upload: Upload): void {
    const { open } = upload
    if (open === undefined) return
    const isWholeBody = open.sent === open.body.length
    if (!open.guarded || (isWholeBody && open.right)) upload.reach = Math.max(upload.reach, upload.offset + open.sent)
    touch(upload, this.clock.now)
    this.#ending.push(open)
    upload.open = undefined
  }

  /** Waits for what bodies are answered that were ended; it is one of the table. */
  async settle (): Promise<void> {
    for (const { raw, isCut } of this.#ending.splice(0)) {
      const answer = await answerOf(raw)
      if (answer !== undefined && !(isCut && isOfParser(answer))) checkAnswer(answer, 'PATCH')
      this.count(`PATCH ended ${answer?.status ?? 'unanswered'}`)
    }
  }

  /** Notes what the server does by itself to final uploads: they get their bytes, or are swept with their parts. */
  noteFinals (): void {
    for (const final of this.uploads) {
      if (final.parts && mayHaveWholeParts(final)) final.maybeJoined = true
      // Parts that are gone on with live longer from then on; that may be too late for it.
      if (isPending(final) && !final.isGone && mayBeExpired(final, this.clock)) final.maybeGone = true
    }
  }

  async stepClock (by: number): Promise<void> {
    // What is expired by now may be swept before a clock that goes back says that it is not.
    for (const upload of this.uploads) {
      if (!upload.isGone && mayBeExpired(upload, this.clock)) upload.maybeGone = true
    }
    await this.machine.stepClock(by)
    // What was sent before may be written now.
    for (const upload of this.uploads) if (upload.open) touch(upload, this.clock.now)
  }

  /** Starts the server again after its end, and compares all that it says with what may be. */
  async restart (): Promise<void> {
    for (const upload of this.uploads) this.widen(upload)
    this.noteFinals()
    await this.machine.start()
    // Whether a final upload has its bytes can be judged once its parts are known.
    for (const upload of [...this.uploads].sort((a, b) => Number(!!a.parts) - Number(!!b.parts))) {
      await this.look(upload)
    }
  }

  /** What must be true after each step. */
  async check (): Promise<void> {
    assert.equal(this.machine.takeComplaints(), '', 'the server complained')
    this.noteFinals()
    const names = new Set(await readdir(this.#place.directory))
    for (const upload of this.uploads) {
      if (upload.isGone) assert(!names.has(idOf(upload)), `${upload.location} was deleted, and its file is there`)
      else await this.#checkFile(upload)
    }
    const known = new Set(this.uploads.map(idOf))
    const unknown = [...names].filter((name) => name.endsWith('.json') && !known.has(name.slice(0, -5)))
    assert(unknown.length <= this.unheard, `a refused creation left ${unknown.join(', ')}`)
    await checkNotes(this.#place.notes)
  }

  async #checkFile (upload: Upload): Promise<void> {
    if (upload.maybeGone || mayBeExpired(upload, this.clock)) return
    const file = path.join(this.#place.directory, idOf(upload))
    const { size, mtimeMs } = await stat(file)
    assert(size >= upload.offset, `${upload.location} has ${size} of ${upload.offset} bytes`)
    // What was compared and not written to since is what it was.
    const state = `${upload.offset} ${mtimeMs}`
    if (this.#compared.get(upload) === state) return
    this.#compared.set(upload, state)
    const stored = await readFile(file)
    assert(stored.subarray(0, upload.offset).equals(upload.content.subarray(0, upload.offset)),
      `${upload.location} does not hold what was sent`)
  }

  /** Resumes all that is unfinished, lets the rest expire, and looks at what is left. */
  async end (): Promise<void> {
    for (const upload of this.uploads) {
      await this.look(upload)
      if (!upload.isGone && !upload.parts && !isWhole(upload)) await this.#finish(upload)
    }
    await this.stepClock(3 * this.period)
    await this.machine.swept()
    await this.machine.swept()
    for (const upload of this.uploads) await this.look(upload)
    await this.check()
    const hooked = await checkNotes(this.#place.notes)
    const kept = this.uploads.filter((upload) => !upload.isGone)
    for (const upload of kept) assert(hooked.has(idOf(upload)), `the app was never told of ${describe(upload)}`)
    const deleted = new Set(this.uploads.filter((upload) => upload.isGone).map(idOf))
    const expected = [...kept.map(idOf), ...[...hooked].filter((id) => !deleted.has(id))]
    const files = [...new Set(expected)].flatMap((id) => [id, `${id}.json`]).sort()
    assert.deepEqual((await readdir(this.#place.directory)).sort(), files, 'a file is left that belongs to nothing')
  }

  async #finish (upload: Upload): Promise<void> {
    const bytes = upload.content.subarray(upload.offset, upload.size)
    const length = upload.size === undefined ? { 'upload-length': String(upload.content.length) } : {}
    const answer = await this.send('PATCH', upload.location, { ...length, 'upload-offset': String(upload.offset) },
      { bytes, guard: 'none', chunked: false })
    if (answer?.status === 404 || answer?.status === 410) return miss(upload, answer.status, this.clock)
    assert.equal(answer?.status, 204)
    upload.size ??= upload.content.length
    upload.offset = upload.reach = upload.size
    touch(upload, this.clock.now)
    // Once its final upload has the bytes, nothing keeps another part that is expired.
    this.noteFinals()
  }
}

function describe (upload: Upload): string {
  return JSON.stringify(upload, (key, value: unknown) => ['content', 'raw', 'body'].includes(key) ? undefined : value)
}
