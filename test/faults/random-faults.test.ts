/**
 * EDGE-45: random requests to a store whose file system calls fail now and then, and whose process is killed between
 * two of them. `RUNS` sets the number of runs from an empty directory (default 300); `SEED=… RUNS=1` repeats one.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Durability } from '../../plugin/index.ts'
import { SYNC_BYTES } from '../../plugin/stores/file/background-sync.ts'
import { OFFSET_OCTET_STREAM, temporaryDirectory } from '../helper.ts'
import { dice } from './dice.ts'
import { FailingDisk } from './failing-disk.ts'
import { FaultyServer } from './faulty-server.ts'
import { type MaybeResponse, Known } from './known.ts'

const runs = Number(process.env['RUNS'] ?? 300)
const firstSeed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const STEPS = 25

class Run {
  readonly disk: FailingDisk
  readonly server: FaultyServer
  readonly #directory: string
  readonly #random: () => number
  readonly #durability: Durability
  readonly #maxBytes: number
  readonly #uploads: Known[] = []

  constructor (seed: number, directory: string) {
    this.#directory = directory
    this.#random = dice(seed)
    // The first numbers of adjacent seeds are close to each other.
    for (let i = 0; i < 5; i++) this.#random()
    this.disk = new FailingDisk(this.#random)
    this.#durability = this.#pick(['none', 'finished', 'finished', 'every-append'])
    const exclusive = this.#random() < 0.5
    this.server = new FaultyServer(this.disk, { directory, durability: this.#durability, exclusive })
    // Now and then a body that is synced while it arrives.
    this.#maxBytes = this.#random() < 0.02 ? 2 * SYNC_BYTES : 20_000
  }

  async go (): Promise<string[]> {
    const { disk, server } = this
    await server.start()
    disk.rate = this.#random() * 0.03
    for (let i = 0; i < STEPS && server.problems.length === 0; i++) {
      if (this.#random() < 0.1) disk.callsToLive = this.#below(50)
      await this.#step()
      if (disk.isDead || this.#random() < 0.03) await server.restart()
    }
    disk.rate = 0
    disk.callsToLive = Infinity
    if (disk.isDead || this.#random() < 0.5) await server.restart()
    for (const known of this.#uploads) await this.#finish(known)
    await this.#cleanUp()
    return server.problems
  }

  async #step (): Promise<void> {
    const known = this.#pick(this.#uploads.filter(({ mayBeDeleted }) => !mayBeDeleted))
    const dice = this.#random()
    if (known === undefined || dice < 0.15) await this.#create()
    else if (dice < 0.25) await this.#concatenate()
    else if (dice < 0.5) await Promise.all([this.#get(known), this.#head(known), this.#get(known)])
    else if (dice < 0.52) await this.#delete(known)
    else if (known.isFinal) await this.#head(known)
    else if (dice < 0.6) await this.#displace(known)
    else if (dice < 0.8) await this.#patch(known, known.content.length - known.offset, this.#random())
    else await this.#patch(known, this.#below(known.content.length - known.offset + 1), this.#random())
  }

  async #create (): Promise<void> {
    const content = Buffer.alloc(this.#below(this.#maxBytes), `${this.#random()}`)
    const isPart = this.#random() < 0.3
    const first = this.#random() < 0.3 ? content.subarray(0, this.#below(content.length + 1)) : undefined
    const response = await this.server.ask('POST', '/files', {
      ...this.#random() < 0.2 ? { 'upload-defer-length': '1' } : { 'upload-length': `${content.length}` },
      ...isPart ? { 'upload-concat': 'partial' } : {},
      ...first ? { 'content-type': OFFSET_OCTET_STREAM } : {}
    }, first)
    if (response?.statusCode === 201) await this.#made(response, content, isPart ? 'part' : 'plain')
  }

  async #concatenate (): Promise<void> {
    const parts = this.#uploads.filter(({ isPart, mayBeDeleted }) => isPart && !mayBeDeleted)
    if (parts.length === 0) return
    const chosen = [this.#pick(parts), this.#pick(parts)] as [Known, Known]
    const header = `final;${chosen.map(({ location }) => location).join(' ')}`
    const response = await this.server.ask('POST', '/files', { 'upload-concat': header })
    if (response?.statusCode !== 201) return
    for (const part of chosen) part.isNeeded = true
    await this.#made(response, Buffer.concat(chosen.map(({ content }) => content)), 'final')
  }

  async #made (response: NonNullable<MaybeResponse>, content: Buffer, kind: Known['kind']): Promise<void> {
    const known = new Known(String(response.headers.location), this.#directory, content, kind, this.disk)
    this.#uploads.push(known)
    await this.#judge(known, response)
  }

  async #head (known: Known): Promise<void> {
    await this.#judge(known, await this.server.ask('HEAD', known.location))
  }

  async #patch (known: Known, bytes: number, dice: number): Promise<void> {
    const body = known.content.subarray(known.offset, known.offset + bytes)
    const isWrong = dice < 0.1 && bytes > 0
    const headers = known.patchHeaders(bytes)
    if (dice < 0.25) headers['upload-checksum'] = `sha1 ${createHash('sha1').update(body).digest('base64')}`
    // No byte of these may ever count.
    const response = await this.server.ask('PATCH', known.location, headers, isWrong ? Buffer.alloc(bytes, '#') : body)
    if (isWrong && response?.statusCode === 204) this.server.problems.push('a body with a wrong checksum counts')
    await this.#judge(known, response)
  }

  /** A body that never ends, and a HEAD that ends it. */
  async #displace (known: Known): Promise<void> {
    const rest = known.content.length - known.offset
    const body = new Readable({ read () {} })
    body.push(known.content.subarray(known.offset, known.offset + this.#below(rest + 1)))
    const headers = { ...known.patchHeaders(rest), 'content-length': `${rest}` }
    const patching = this.server.ask('PATCH', known.location, headers, body)
    await wait(this.#below(30))
    await this.#head(known)
    body.push(null)
    await patching
  }

  async #get (known: Known): Promise<void> {
    const response = await this.server.ask('GET', known.location)
    const isWrong = response?.statusCode === 200 && !response.rawPayload.equals(known.content)
    if (isWrong) this.server.problems.push(`GET ${known.location}: wrong bytes`)
  }

  async #delete (known: Known): Promise<void> {
    if (known.isNeeded) return
    known.mayBeDeleted = true
    await this.server.ask('DELETE', known.location)
  }

  /** Without faults every upload completes. */
  async #finish (known: Known): Promise<void> {
    await this.#head(known)
    // Deleted, or given up with the disk.
    if (known.mayBeDeleted) return
    if (!known.isFinal) await this.#patch(known, known.content.length - known.offset, 1)
    // Parts are not served; their final upload is compared.
    if (known.isPart) return
    const response = await this.server.ask('GET', known.location)
    if (response?.statusCode !== 200) this.server.problems.push(`${known.location} is not finished: ${response?.body}`)
    else if (!response.rawPayload.equals(known.content)) this.server.problems.push(`${known.location} has wrong bytes`)
    if (!this.server.finished.has(known.id)) {
      this.server.problems.push(`the finish hook of ${known.location} never ran`)
    }
  }

  /** The files that are left when all uploads are deleted, and orphans of crashes are old. */
  async #cleanUp (): Promise<void> {
    const { store, problems } = this.server
    await this.server.close()
    for await (const id of store.list()) await store.remove(id)
    for (const name of await fs.readdir(this.#directory)) await fs.utimes(path.join(this.#directory, name), 0, 0)
    await store.removeOrphans()
    const left = await fs.readdir(this.#directory)
    if (left.length > 0) problems.push(`left: ${left.join()}`)
  }

  async #judge (known: Known, response: MaybeResponse): Promise<void> {
    this.server.problems.push(...await known.judge(response, this.#durability))
  }

  #below (limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<T> (of: T[]): T {
    return of[this.#below(of.length)] as T
  }
}

t.test(`EDGE-45 acknowledged bytes survive faults and kills, ${runs} runs (SEED=${firstSeed})`, async (t) => {
  t.setTimeout(0)
  const sum = { runs, calls: 0, faults: 0, kills: 0 }
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const run = new Run(seed, await temporaryDirectory(t))
    const problems = await run.go()
    if (problems.length > 0) t.same(problems, [], `SEED=${seed} RUNS=1`)
    sum.calls += run.disk.calls
    sum.faults += run.disk.faults
    sum.kills += run.server.kills
  }
  t.ok(sum.faults > 0, JSON.stringify(sum))
})
