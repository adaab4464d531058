import fs from 'node:fs/promises'
import path from 'node:path'
import type { LightMyRequestResponse } from 'fastify'
import type { Durability } from '../../plugin/index.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'
import type { FailingDisk } from './failing-disk.ts'

/** `undefined` where the process was killed before it. */
export type Answer = LightMyRequestResponse | undefined

/** What a client knows of one upload, and what must be so. */
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
  /** Whether a final upload is made of it. */
  isNeeded = false
  /** How many flushes of it had failed by then. */
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

  /** Of a body of so many bytes; the last one declares the length. */
  patchHeaders (bytes: number): Record<string, string> {
    const { length } = this.content
    return {
      'upload-offset': `${this.offset}`,
      'content-type': OFFSET_OCTET_STREAM,
      ...this.offset + bytes >= length ? { 'upload-length': `${length}` } : {}
    }
  }

  /**
   * Takes note of an answer that tells the offset.
   * @returns what is wrong
   */
  async judge (answer: Answer, durability: Durability): Promise<string[]> {
    if (answer === undefined) return []
    const { statusCode, headers } = answer
    const failed = this.#disk.failedFlushes(this.#file)
    const mayGoBack = failed > this.#failedFlushes
    if (statusCode === 404 || statusCode === 410) {
      // Where the cut fails as well that follows a failed flush, the upload is given up.
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
    if (durability === 'every-append' && this.#disk.isUnsure(this.#file, offset)) problems.push(`${offset} is not on the disk`)
    this.offset = offset
    this.#failedFlushes = failed
    return problems.map((problem) => `${this.location}: ${problem}`)
  }
}
