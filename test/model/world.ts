import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Machine, type Place } from './machine.ts'
import {
  idOf, isComplete, isPending, learn, mayBeExpired, mayHaveCompleteParts, miss, type Now, type OpenBody, touch,
  type Upload
} from './model.ts'
import { type BodyShape, checkResponse, isOfParser, type MaybeResponse, responseOf, send } from './wire.ts'
import { checkNotes } from './notes.ts'

/** How often each event happened, by name. */
export type Tally = Map<string, number>

/** One run: the server, its directory, and the knowledge of its clients. */
export class World {
  readonly uploads: Upload[] = []
  readonly machine: Machine
  readonly period: number
  readonly tally: Tally
  readonly #place: Place
  /** Bodies that other requests end. */
  #ending: Array<{ upload: Upload, open: OpenBody }> = []
  readonly #compared = new Map<Upload, string>()
  /** How many creations had no response: each may have left an upload unknown to any client. */
  unanswered = 0

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

  async send (
    method: string, target: string, headers?: Record<string, string>, shape?: BodyShape
  ): Promise<MaybeResponse> {
    const response = await send(this.machine.base, method, target, headers, shape)
    this.count(`${method} ${response?.status ?? 'unanswered'}`)
    return response
  }

  /** Requests the state of an upload, and compares. */
  async compare (upload: Upload): Promise<void> {
    this.widen(upload)
    const response = await this.send('HEAD', upload.location)
    assert(response, 'HEAD got no response')
    if (response.status === 404 || response.status === 410) miss(upload, response.status, this.clock)
    else {
      assert.equal(response.status, 200)
      const { reach, maybeSize, written } = upload
      const mayBeLate = this.machine.isLate && reach > upload.offset
      if (mayBeLate) touch(upload, this.clock.now)
      const number = (name: string) => response.headers[name] === undefined ? undefined : Number(response.headers[name])
      const expires = response.headers['upload-expires']
      learn(upload, {
        offset: number('upload-offset'),
        size: number('upload-length'),
        expires: expires === undefined ? undefined : Date.parse(expires)
      }, this.clock)
      if (this.machine.isLate) {
        upload.reach = reach
        if (upload.size === undefined) upload.maybeSize = maybeSize
        if (mayBeLate) for (const time of [written.from, written.to]) touch(upload, time)
      }
    }
    await this.settle(upload)
  }

  /** A request that takes the lock ends a body that is being received: the bytes sent so far may count. */
  widen (upload: Upload): void {
    const { open } = upload
    if (open === undefined) return
    const isSent = open.sent === open.body.length
    if (!open.guarded || (isSent && open.right)) upload.reach = Math.max(upload.reach, upload.offset + open.sent)
    touch(upload, this.clock.now)
    this.#ending.push({ upload, open })
    upload.open = undefined
  }

  /**
   * Waits for the responses to bodies that were ended; each must be a known error.
   * @param only - the upload whose bodies were ended. Another process may still receive those of other uploads.
   */
  async settle (only?: Upload): Promise<void> {
    const isMeant = ({ upload }: { upload: Upload }) => only === undefined || upload === only
    const ended = this.#ending.filter(isMeant)
    this.#ending = this.#ending.filter((ending) => !isMeant(ending))
    for (const { open: { raw, isCut } } of ended) {
      const response = await responseOf(raw)
      if (response !== undefined && !(isCut && isOfParser(response))) checkResponse(response, 'PATCH')
      this.count(`PATCH ended ${response?.status ?? 'unanswered'}`)
    }
  }

  /**
   * Notes what the server does to final uploads without a request: they get their bytes, or are swept with their parts.
   */
  noteFinals (): void {
    for (const final of this.uploads) {
      if (final.parts && mayHaveCompleteParts(final)) final.maybeJoined = true
      // Parts that are appended to live longer from then on; that may be too late for the final upload.
      if (isPending(final) && !final.isGone && mayBeExpired(final, this.clock)) final.maybeGone = true
    }
  }

  async stepClock (by: number): Promise<void> {
    // An upload that has expired by now may be swept before the clock is set back.
    for (const upload of this.uploads) {
      if (!upload.isGone && mayBeExpired(upload, this.clock)) upload.maybeGone = true
    }
    await this.machine.stepClock(by)
    // Bytes that were sent before may be written now.
    for (const upload of this.uploads) if (upload.open) touch(upload, this.clock.now)
  }

  /** Starts the server again after its end, and compares every upload with its possible states. */
  async restart (): Promise<void> {
    for (const upload of this.uploads) this.widen(upload)
    this.noteFinals()
    await this.machine.start()
    // Whether a final upload has its bytes can be checked once its parts are known.
    for (const upload of [...this.uploads].sort((a, b) => Number(!!a.parts) - Number(!!b.parts))) {
      await this.compare(upload)
    }
  }

  /** The invariants after each step. */
  async check (): Promise<void> {
    assert.equal(this.machine.takeProblems(), '', 'the server reported problems')
    this.noteFinals()
    const names = new Set(await readdir(this.#place.directory))
    for (const upload of this.uploads) {
      if (upload.isGone) assert(!names.has(idOf(upload)), `${upload.location} was deleted, and its file exists`)
      else await this.#checkFile(upload)
    }
    const known = new Set(this.uploads.map(idOf))
    const unknown = [...names].filter((name) => name.endsWith('.json') && !known.has(name.slice(0, -5)))
    assert(unknown.length <= this.unanswered, `a refused creation left ${unknown.join(', ')}`)
    await checkNotes(this.#place.notes)
  }

  async #checkFile (upload: Upload): Promise<void> {
    if (upload.maybeGone || mayBeExpired(upload, this.clock)) return
    const file = path.join(this.#place.directory, idOf(upload))
    const { size, mtimeMs } = await stat(file)
    assert(size >= upload.offset, `${upload.location} has ${size} of ${upload.offset} bytes`)
    // An upload that was compared and not written to since is unchanged.
    const state = `${upload.offset} ${mtimeMs}`
    if (this.#compared.get(upload) === state) return
    this.#compared.set(upload, state)
    const stored = await readFile(file)
    assert(stored.subarray(0, upload.offset).equals(upload.content.subarray(0, upload.offset)),
      `${upload.location} does not have the bytes that were sent`)
  }

  /** Resumes all unfinished uploads, lets the rest expire, and checks the files that are left. */
  async end (): Promise<void> {
    for (const upload of this.uploads) {
      await this.compare(upload)
      if (!upload.isGone && !upload.parts && !isComplete(upload)) await this.#finish(upload)
    }
    await this.stepClock(3 * this.period)
    await this.machine.swept()
    await this.machine.swept()
    for (const upload of this.uploads) await this.compare(upload)
    await this.check()
    const hooked = await checkNotes(this.#place.notes)
    const kept = this.uploads.filter((upload) => !upload.isGone)
    for (const upload of kept) assert(hooked.has(idOf(upload)), `the finish hook never ran for ${describe(upload)}`)
    const deleted = new Set(this.uploads.filter((upload) => upload.isGone).map(idOf))
    const expected = [...kept.map(idOf), ...[...hooked].filter((id) => !deleted.has(id))]
    const files = [...new Set(expected)].flatMap((id) => [id, `${id}.json`]).sort()
    assert.deepEqual((await readdir(this.#place.directory)).sort(), files, 'a file is left that belongs to no upload')
  }

  async #finish (upload: Upload): Promise<void> {
    const bytes = upload.content.subarray(upload.offset, upload.size)
    const length = upload.size === undefined ? { 'upload-length': String(upload.content.length) } : {}
    const response = await this.send('PATCH', upload.location, { ...length, 'upload-offset': String(upload.offset) },
      { bytes, guard: 'none', chunked: false })
    if (response?.status === 404 || response?.status === 410) return miss(upload, response.status, this.clock)
    assert.equal(response?.status, 204)
    upload.size ??= upload.content.length
    upload.offset = upload.reach = upload.size
    touch(upload, this.clock.now)
    // Once its final upload has the bytes, nothing keeps an expired part.
    this.noteFinals()
  }
}

function describe (upload: Upload): string {
  return JSON.stringify(upload, (key, value: unknown) => ['content', 'raw', 'body'].includes(key) ? undefined : value)
}
