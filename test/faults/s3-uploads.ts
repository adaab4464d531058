/** Uploads to servers over a bucket, as their clients know them, and the invariants. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { S3Store } from '../../plugin/stores/s3/index.ts'
import { removeOrphans } from '../../plugin/stores/s3/sweeps/orphans.ts'
import { until } from '../helper.ts'
import { bytesOf, collect, type Rig } from '../stores/s3/rig.ts'
import type { Server } from './s3-process.ts'

export interface Answer {
  status: number
  offset: number | undefined
  location: string
}

/** Every response comes within a minute; `undefined` if the process died. */
export async function ask (
  server: Pick<Server, 'url'>, method: string, path: string, headers: Record<string, string> = {}, body?: Buffer
): Promise<Answer | undefined> {
  const response = await fetch(server.url + path, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...body === undefined ? {} : { body: new Uint8Array(body) },
    signal: AbortSignal.timeout(60_000)
  }).catch((error: Error) => {
    assert.notEqual(error.name, 'TimeoutError', `no response to ${method} at ${server.url}`)
    return undefined
  })
  if (response === undefined) return undefined
  await response.arrayBuffer().catch(() => {})
  const offset = response.headers.get('upload-offset')
  const location = response.headers.get('location') ?? path
  return { status: response.status, offset: offset === null ? undefined : Number(offset), location }
}

export function append (
  server: Pick<Server, 'url'>, location: string, offset: number, bytes: Uint8Array
): Promise<Answer | undefined> {
  const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }
  return ask(server, 'PATCH', location, headers, Buffer.from(bytes))
}

/** How often the finish hook ran for an upload. */
export function runsOf (id: string, ...servers: Server[]): number {
  return servers.flatMap(({ finished }) => finished).filter((finished) => finished === id).length
}

/** An upload as its client knows it. */
export class Sending {
  readonly content: Buffer
  location = ''
  acknowledged = 0

  constructor (length: number) {
    this.content = randomBytes(length)
  }

  get id (): string {
    return this.location.split('/').at(-1) as string
  }

  async create (server: Pick<Server, 'url'>): Promise<void> {
    const created = await ask(server, 'POST', '/files', { 'upload-length': String(this.content.length) })
    assert.equal(created?.status, 201)
    this.location = created.location
  }

  /** HEAD: invariants 1 and 6. */
  async look (server: Pick<Server, 'url'>): Promise<void> {
    assert.equal(await this.#head(server), 200, 'HEAD')
  }

  /** Like `look`, once HEAD succeeds. */
  async find (server: Pick<Server, 'url'>): Promise<void> {
    await until(async () => await this.#head(server) === 200)
  }

  async #head (server: Pick<Server, 'url'>): Promise<number | undefined> {
    const head = await ask(server, 'HEAD', this.location)
    if (head?.status !== 200) return head?.status
    assert.ok((head.offset as number) >= this.acknowledged, `offset ${head.offset} after ${this.acknowledged}`)
    this.acknowledged = head.offset as number
    return head.status
  }

  async send (server: Pick<Server, 'url'>, most = Infinity): Promise<Answer | undefined> {
    const body = this.content.subarray(this.acknowledged, this.acknowledged + most)
    const answer = await append(server, this.location, this.acknowledged, body)
    if (answer?.status === 204) {
      assert.equal(answer.offset, this.acknowledged + body.length)
      this.acknowledged = answer.offset
    }
    return answer
  }

  /** Continues until the upload is complete, however often a request fails. */
  async resume (server: Pick<Server, 'url'>): Promise<void> {
    for (;;) {
      const answer = await this.send(server)
      if (answer?.status === 204) return
      assert.ok([409, 423, 503, undefined].includes(answer?.status), `status ${answer?.status}`)
      await this.find(server)
      if (this.acknowledged === this.content.length) return
    }
  }
}

/** The invariants of a finished upload: its object has the bytes of the client, and nothing else is left. */
export async function checkFinished (rig: Rig, sending: Sending, runs: number): Promise<void> {
  const object = await rig.bucket.getBytes(sending.id)
  assert.ok(object !== undefined, 'the object exists')
  assert.ok(sending.content.equals(object.bytes), 'the object has the bytes of the client')
  assert.ok(runs >= 1, 'the finish hook has run')
  const store = new S3Store({ bucket: rig.bucketName, clientConfig: rig.engine.clientConfig() })
  assert.ok(sending.content.equals(await bytesOf(store, sending.id)))
}

/** Whatever the processes left: after the sweeps of the next days, only states and objects. */
export async function checkLeftovers (rig: Rig): Promise<void> {
  await removeOrphans(rig.bucket, rig.states, Date.now() + 2 * 24 * 3_600_000)
  const store = new S3Store({ bucket: rig.bucketName, clientConfig: rig.engine.clientConfig() })
  await collect(store.due(Date.now() + 400 * 24 * 3_600_000))
  const ids = await collect(store.list())
  const keys = (await rig.keys()).filter((key) => !key.startsWith('.tus-due/'))
  assert.deepEqual(keys.filter((key) => !ids.includes(key)).sort(), ids.map((id) => `.tus/${id}/state`).sort())
}
