import assert from 'node:assert/strict'
import type { RawRequest } from '../raw-request.ts'

/** A body that is on its way. */
export interface OpenBody {
  raw: RawRequest
  /** What it holds, in bytes, and how many of them were sent. */
  body: Buffer
  sent: number
  /** Its checksum, if it has one, is right. */
  right: boolean
  guarded: boolean
  /** The client ended it. */
  isCut?: boolean
}

/**
 * What a client knows of one upload. What was acknowledged is exact; what became of a request without an answer is a
 * range, until HEAD tells.
 */
export interface Upload {
  location: string
  /** What it holds when it is whole; of one whose length is not known yet, more than will be sent. */
  content: Buffer
  size: number | undefined
  /** The length that a request without an answer declared. */
  maybeSize?: number | undefined
  /** What was acknowledged, in bytes, and what may be stored beyond that. */
  offset: number
  reach: number
  /** When it was last written to, by the server's clock, in ms: at the earliest and at the latest. */
  written: { from: number, to: number }
  isPartial: boolean
  /** What a final upload is made of. */
  parts?: Upload[] | undefined
  /** Whether a final upload is known to have its bytes, and whether it may have got them. */
  isJoined: boolean
  maybeJoined: boolean
  isGone: boolean
  /** A request without an answer, or a sweep, may have deleted it. */
  maybeGone: boolean
  open?: OpenBody | undefined
}

/** Headers tell whole seconds. */
const SLACK_MS = 2000

type Facts = Pick<Upload, 'location' | 'content' | 'size' | 'isPartial'>

export function newUpload (facts: Facts & Partial<Upload>): Upload {
  return {
    offset: 0,
    reach: 0,
    written: { from: 0, to: 0 },
    isJoined: false,
    maybeJoined: false,
    isGone: false,
    maybeGone: false,
    ...facts
  }
}

export const idOf = ({ location }: Upload): string => location.slice(location.lastIndexOf('/') + 1)

/** Whether it is a final upload that has no bytes yet. */
export const isPending = (upload: Upload): boolean => upload.parts !== undefined && !upload.isJoined

export const isWhole = (upload: Upload): boolean => upload.offset === upload.size && !isPending(upload)

/** Whether it lives for a time only: what is unfinished, and what is a part of another. */
function isMortal (upload: Upload): boolean {
  return !isPending(upload) && (upload.isPartial || !isWhole(upload))
}

/** When a clock may have been read, in ms. */
export interface Now {
  now: number
  period: number
}

/** Whether it may be expired; it is not while a body is on its way to it. */
export function mayBeExpired (upload: Upload, clock: Now): boolean {
  if (isPending(upload)) {
    const parts = upload.parts as Upload[]
    return parts.every((part) => part.isGone || part.maybeGone || mayBeExpired(part, clock))
  }
  return isMortal(upload) && upload.open === undefined && clock.now + SLACK_MS > upload.written.from + clock.period
}

/** Whether it may be gone by the next request, which ends a body that is on its way to it. */
export function mayBeMissing (upload: Upload, clock: Now): boolean {
  return upload.maybeGone || mayBeExpired({ ...upload, open: undefined }, clock)
}

/** Whether it must be expired. Nothing tells that of a part that a final upload may wait for. */
function mustBeExpired (upload: Upload, clock: Now): boolean {
  if (isPending(upload) || upload.isPartial || !isMortal(upload)) return false
  return upload.open === undefined && clock.now - SLACK_MS > upload.written.to + clock.period
}

/** Whether all parts of a final upload are there and whole. */
export function hasWholeParts ({ parts = [] }: Upload): boolean {
  return parts.every((part) => isWhole(part) && !part.isGone && !part.maybeGone)
}

/** Whether there may have been a moment at which all parts were there and whole. */
export function mayHaveWholeParts ({ parts = [] }: Upload): boolean {
  return parts.every((part) => !part.isGone && (isWhole(part) || part.reach === part.size))
}

/** Notes that a request may write to it now. */
export function touch (upload: Upload, now: number): void {
  const { from, to } = upload.written
  upload.written = { from: Math.min(from, now), to: Math.max(to, now) }
}

/** What HEAD tells of an upload that is there. */
export interface Told {
  offset: number | undefined
  size: number | undefined
  expires: number | undefined
}

/** Compares what HEAD tells with what may be, and takes it for the truth. */
export function learn (upload: Upload, { offset, size, expires }: Told, clock: Now): void {
  assert(!upload.isGone, 'what was deleted is there again')
  assert(!mustBeExpired(upload, clock), 'an expired upload is served')
  assert(size === upload.size || (upload.size === undefined && size === upload.maybeSize), `the length is ${size}`)
  upload.size = size
  upload.maybeSize = undefined
  upload.maybeGone = false
  if (upload.parts !== undefined) learnOfFinal(upload, offset, clock)
  else {
    assert(offset !== undefined && offset >= upload.offset && offset <= upload.reach,
      `the offset is ${offset}, and ${upload.offset} to ${upload.reach} would be right`)
    upload.offset = upload.reach = offset
  }
  if (!isMortal(upload)) {
    assert(expires === undefined, 'what does not expire has a date')
    return
  }
  assert(expires !== undefined, 'what expires has no date')
  const written = expires - clock.period
  const { from, to } = upload.written
  assert(written >= from - SLACK_MS && written <= to + SLACK_MS, `last written at ${written}, not ${from} to ${to}`)
  upload.written = { from: written, to: written + 1000 }
}

function learnOfFinal (upload: Upload, offset: number | undefined, clock: Now): void {
  const parts = upload.parts as Upload[]
  if (offset === undefined) {
    assert(!upload.isJoined, 'a final upload lost its bytes')
    const mustJoin = hasWholeParts(upload) && !parts.some((part) => mayBeExpired(part, clock))
    assert(!mustJoin, 'a final upload waits, and all of its parts are whole')
    return
  }
  const mayHaveBytes = upload.isJoined || upload.maybeJoined || mayHaveWholeParts(upload)
  assert(mayHaveBytes, 'a final upload has bytes, and a part has not')
  assert.equal(offset, upload.size, 'a final upload has a part of its bytes')
  upload.isJoined = true
  upload.offset = upload.reach = offset
}

/** Takes for the truth that an upload is not there; 410 tells of one that a sweep has still to delete. */
export function miss (upload: Upload, status: 404 | 410, clock: Now): void {
  assert(upload.isGone || mayBeMissing(upload, clock), 'an upload is lost')
  if (status === 404) upload.isGone = true
  else upload.maybeGone = true
}
