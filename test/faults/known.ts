import fs from 'node:fs/promises'
import path from 'node:path'
import type { LightMyRequestResponse } from 'fastify'
import type { Durability } from '../../plugin/index.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import type { FailingDisk } from './failing-disk.ts'

/** `undefined` if the process was killed before it. */
export type MaybeResponse = LightMyRequestResponse | undefined

/** The knowledge of a client about one upload, and the invariants that follow from it. */
export class Known {
  readonly id: string
  readonly location: string
  readonly content: Buffer
  readonly kind: 'plain' | 'part' | 'final'
  readonly #file: string
  readonly #disk: FailingDisk
  /** The last offset that was acknowledged. */
  offset = 0
  mayBeDeleted = false
  /** Whether it is a part of a final upload. */
  isNeeded = false
  /** How many syncs of it had failed by then. */
  #failedFlushes = 0

  constructor (location: string, directory: string, content: Buffer, kind: Known['kind'], disk: FailingDisk) {
    this.id = path.basename(location)
    this.location = location
    this.content = content
    this.kind = kind
    this.#file = path.join(directory, this.id)
    this.#disk = disk
  }

  get isPart (): boolean {
    return this.kind === 'part'
  }

  get isFinal (): boolean {
    return this.kind === 'final'
  }

  /** For a body of this many bytes; the last one declares the length. */
  patchHeaders (bytes: number): Record<string, string> {
    const { length } = this.content
    return {
      'upload-offset': `${this.offset}`,
      'content-type': OFFSET_OCTET_STREAM,
      ...this.offset + bytes >= length ? { 'upload-length': `${length}` } : {}
    }
  }

  /**
   * Records a response that has an offset.
   * @returns the problems found
   */
  async judge (response: MaybeResponse, durability: Durability): Promise<string[]> {
    if (response === undefined) return []
    const { statusCode, headers } = response
    const failed = this.#disk.failedFlushes(this.#file)
    const mayGoBack = failed > this.#failedFlushes
    if (statusCode === 404 || statusCode === 410) {
      // If the truncation after a failed sync fails as well, the upload is given up.
      const isGivenUp = statusCode === 410 && failed > 0
      this.mayBeDeleted ||= isGivenUp
      return this.mayBeDeleted ? [] : [`${this.location} is gone: ${statusCode}`]
    }
    if (statusCode >= 300 || headers['upload-offset'] === undefined) return []
    const offset = Number(headers['upload-offset'])
    const problems = []
    const stored = await fs.readFile(this.#file)
    if (offset < this.offset && !mayGoBack) problems.push(`${this.offset} was acknowledged, now it is ${offset}`)
    if (offset > stored.length) problems.push(`${offset} is acknowledged, ${stored.length} bytes are stored`)
    if (!stored.subarray(0, offset).equals(this.content.subarray(0, offset))) problems.push('wrong bytes are stored')
    if (durability === 'every-append' && this.#disk.isUnsure(this.#file, offset)) problems.push(`${offset} is not on disk`)
    this.offset = offset
    this.#failedFlushes = failed
    return problems.map((problem) => `${this.location}: ${problem}`)
  }
}
