import assert from 'node:assert/strict'
import type { RawResponse } from '../raw-request.ts'
import type { Machine } from './machine.ts'
import {
  idOf, isComplete, isPending, learn, mayBeExpired, mayBeMissing, mayHaveCompleteParts, miss, type Now, type OpenBody,
  touch, type Upload
} from './model.ts'
import { type BodyShape, checkResponse, isOfParser, type MaybeResponse, responseOf, send } from './wire.ts'
import { checkNotes } from './notes.ts'
import type { Storage, Stored } from './storage/storage.ts'

/** How often HEAD is sent if another process changes the upload at the same time. */
const ATTEMPTS = 20

/** How often each event happened, by name. */
export type Tally = Map<string, number>

/** One run: the server, its storage, and the knowledge of its clients. */
export class World {
  readonly uploads: Upload[] = []
  readonly machine: Machine
  readonly period: number
  readonly tally: Tally
  readonly #storage: Storage
  /** Bodies that other requests end. */
  #ending: Array<{ upload: Upload, open: OpenBody }> = []
  readonly #compared = new Map<Upload, string>()
  /** How many creations had no response: each may have left an upload unknown to any client. */
  unanswered = 0

  constructor (machine: Machine, storage: Storage, { period, tally }: { period: number, tally: Tally }) {
    this.machine = machine
    this.#storage = storage
    this.period = period
    this.tally = tally
  }

  /** Whether requests for an upload exclude each other. Otherwise more responses are right, but no byte may be lost. */
  get isExclusive (): boolean {
    return this.#storage.isExclusive
  }

  /** Whether a process may know an upload as it was before another process has changed it. */
  get mayBeOutdated (): boolean {
    return this.#storage.mayBeOutdated
  }

  async begin (): Promise<void> {
    await this.machine.moveTo(this.#storage.served)
  }

  get clock (): Now {
    const { movedBy, slack } = this.machine
    return { now: Date.now() + movedBy, period: this.period, slack }
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
    const response = await this.#head(upload)
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

  async #head (upload: Upload): Promise<RawResponse> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.send('HEAD', upload.location)
      assert(response, 'HEAD got no response')
      // Two processes may finish an upload at the same time.
      if (this.isExclusive || response.status !== 423 || attempt === ATTEMPTS) return response
    }
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
      // Only a lock lets requests to another process end it.
      if (!this.isExclusive) raw.socket.destroy()
      const response = await responseOf(raw)
      if (response !== undefined && !(isCut && isOfParser(response))) checkResponse(response, 'PATCH')
      this.count(`PATCH ended ${response?.status ?? 'unanswered'}`)
    }
  }

  /**
   * Notes what the server does without a request: final uploads get their bytes, or are swept with their parts. Without
   * locks, a body that is being received does not prevent a sweep.
   */
  noteSweeps (): void {
    for (const upload of this.uploads) {
      if (!this.isExclusive && !upload.isGone && mayBeMissing(upload, this.clock)) upload.maybeGone = true
    }
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
    this.noteSweeps()
    await this.machine.start()
    // Whether a final upload has its bytes can be checked once its parts are known.
    for (const upload of [...this.uploads].sort((a, b) => Number(!!a.parts) - Number(!!b.parts))) {
      await this.compare(upload)
    }
  }

  /** The invariants after each step. */
  async check (): Promise<void> {
    assert.equal(this.machine.takeProblems(), '', 'the server reported problems')
    this.noteSweeps()
    const { uploads, records } = await this.#storage.look()
    for (const upload of this.uploads) {
      const stored = uploads.get(idOf(upload))
      if (upload.isGone) assert(!stored, `${upload.location} was deleted, and it is still stored`)
      else await this.#checkBytes(upload, stored)
    }
    const known = new Set(this.uploads.map(idOf))
    const unknown = records.filter((id) => !known.has(id))
    assert(unknown.length <= this.unanswered, `a refused creation left ${unknown.join(', ')}`)
    await checkNotes(this.#storage.served.notes, this.isExclusive)
  }

  async #checkBytes (upload: Upload, stored: Stored | undefined): Promise<void> {
    if (upload.maybeGone || mayBeExpired(upload, this.clock)) return
    assert(stored, `${upload.location} is not stored`)
    // An upload that was compared and not written to since is unchanged.
    const state = `${upload.offset} ${stored.version}`
    if (this.#compared.get(upload) === state) return
    this.#compared.set(upload, state)
    const bytes = await stored.read()
    assert(bytes.length >= upload.offset, `${upload.location} has ${bytes.length} of ${upload.offset} bytes`)
    assert(bytes.subarray(0, upload.offset).equals(upload.content.subarray(0, upload.offset)),
      `${upload.location} does not have the bytes that were sent`)
  }

  /** Resumes all unfinished uploads, lets the rest expire, and checks what is left. */
  async end (): Promise<void> {
    for (const upload of this.uploads) await this.#finish(upload)
    await this.stepClock(3 * this.period)
    await this.machine.swept()
    await this.machine.swept()
    for (const upload of this.uploads) await this.compare(upload)
    await this.check()
    const hooked = await checkNotes(this.#storage.served.notes, this.isExclusive)
    const kept = this.uploads.filter((upload) => !upload.isGone)
    for (const upload of kept) assert(hooked.has(idOf(upload)), `the finish hook never ran for ${describe(upload)}`)
    const deleted = new Set(this.uploads.filter((upload) => upload.isGone).map(idOf))
    const expected = [...kept.map(idOf), ...[...hooked].filter((id) => !deleted.has(id))]
    const names = [...new Set(expected)].flatMap((id) => this.#storage.namesOf(id)).sort()
    assert.deepEqual((await this.#storage.names()).sort(), names, 'something is left that belongs to no upload')
  }

  async #finish (upload: Upload): Promise<void> {
    await this.compare(upload)
    if (upload.isGone || upload.parts || isComplete(upload)) return
    const bytes = upload.content.subarray(upload.offset, upload.size)
    const length = upload.size === undefined ? { 'upload-length': String(upload.content.length) } : {}
    const response = await this.send('PATCH', upload.location, { ...length, 'upload-offset': String(upload.offset) },
      { bytes, guard: 'none', chunked: false })
    if (response?.status === 404 || response?.status === 410) return miss(upload, response.status, this.clock)
    // A body that was just cut off may still be stored.
    if (!this.isExclusive && [409, 423].includes(Number(response?.status))) return await this.#finish(upload)
    assert.equal(response?.status, 204)
    upload.size ??= upload.content.length
    upload.offset = upload.reach = upload.size
    touch(upload, this.clock.now)
    // Once its final upload has the bytes, nothing keeps an expired part.
    this.noteSweeps()
  }
}

function describe (upload: Upload): string {
  return JSON.stringify(upload, (key, value: unknown) => ['content', 'raw', 'body'].includes(key) ? undefined : value)
}
