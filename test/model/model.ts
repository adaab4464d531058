import assert from 'node:assert/strict'
import type { RawRequest } from '../raw-request.ts'

/** A body that is being sent. */
export interface OpenBody {
  raw: RawRequest
  /** Its bytes, and how many of them were sent. */
  body: Buffer
  sent: number
  /** Its checksum, if it has one, is right. */
  right: boolean
  guarded: boolean
  /** An earlier request without a response may still displace it. */
  mayBeDisplaced: boolean
  /** The client ended it. */
  isCut?: boolean
}

/**
 * The knowledge of a client about one upload. Acknowledged values are exact; the effect of a request without a response
 * is a range, until HEAD returns the offset.
 */
export interface Upload {
  location: string
  /** The content of the complete upload; if the length is unknown, more than will be sent. */
  content: Buffer
  size: number | undefined
  /** The length that a request without a response declared. */
  maybeSize?: number | undefined
  /** The acknowledged offset, in bytes, and the highest offset that may be stored. */
  offset: number
  reach: number
  /** The time of the last write by the server's clock, in ms: the earliest and the latest possible one. */
  written: { from: number, to: number }
  isPartial: boolean
  /** The parts of a final upload. */
  parts?: Upload[] | undefined
  /** Whether a final upload is known to have its bytes, and whether it may have them. */
  isJoined: boolean
  maybeJoined: boolean
  isGone: boolean
  /** A request without a response, or a sweep, may have deleted it. */
  maybeGone: boolean
  open?: OpenBody | undefined
}

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

export const isComplete = (upload: Upload): boolean => upload.offset === upload.size && !isPending(upload)

/** Whether it can expire: unfinished uploads and parts do. */
function isMortal (upload: Upload): boolean {
  return !isPending(upload) && (upload.isPartial || !isComplete(upload))
}

/** The time at which a clock may have been read, in ms. */
export interface Now {
  now: number
  period: number
  /** How far the times of two processes may differ. */
  slack: number
}

/**
 * Whether it may have expired; it has not while a body is being received. A final upload that waits is deleted with any
 * of its parts, and keeps them until all of them have expired.
 */
export function mayBeExpired (upload: Upload, clock: Now): boolean {
  if (isPending(upload)) {
    const parts = upload.parts as Upload[]
    return parts.some((part) => part.isGone || part.maybeGone) || parts.every((part) => mayBeExpired(part, clock))
  }
  return isMortal(upload) && upload.open === undefined && clock.now + clock.slack > upload.written.from + clock.period
}

/** Whether it may be gone by the next request, which ends a body that is being received. */
export function mayBeMissing (upload: Upload, clock: Now): boolean {
  return upload.maybeGone || mayBeExpired({ ...upload, open: undefined }, clock)
}

/** Whether it must have expired. This is unknown for a part that a final upload may wait for. */
function mustBeExpired (upload: Upload, clock: Now): boolean {
  if (isPending(upload) || upload.isPartial || !isMortal(upload)) return false
  return upload.open === undefined && clock.now - clock.slack > upload.written.to + clock.period
}

/** Whether all parts of a final upload exist and are complete. */
export function hasCompleteParts ({ parts = [] }: Upload): boolean {
  return parts.every((part) => isComplete(part) && !part.isGone && !part.maybeGone)
}

/** Whether all parts may have existed and been complete at some moment. */
export function mayHaveCompleteParts ({ parts = [] }: Pick<Upload, 'parts'>): boolean {
  return parts.every((part) => !part.isGone && (isComplete(part) || part.reach === part.size))
}

/** Notes that a request may write to it now. */
export function touch (upload: Upload, now: number): void {
  const { from, to } = upload.written
  upload.written = { from: Math.min(from, now), to: Math.max(to, now) }
}

/** The state of an upload according to HEAD. */
export interface Inspected {
  offset: number | undefined
  size: number | undefined
  expires: number | undefined
}

/** Compares the state according to HEAD with the possible ones, and adopts it. */
export function learn (upload: Upload, { offset, size, expires }: Inspected, clock: Now): void {
  assert(!upload.isGone, 'a deleted upload exists again')
  assert(!mustBeExpired(upload, clock), 'an expired upload is served')
  assert(size === upload.size || (upload.size === undefined && size === upload.maybeSize), `the length is ${size}`)
  upload.size = size
  upload.maybeSize = undefined
  upload.maybeGone = false
  if (upload.parts !== undefined) learnOfFinal(upload, offset, clock)
  else {
    assert(offset !== undefined && offset >= upload.offset && offset <= upload.reach,
      `the offset is ${offset}, expected ${upload.offset} to ${upload.reach}`)
    upload.offset = upload.reach = offset
  }
  if (!isMortal(upload)) {
    assert(expires === undefined, 'an upload that does not expire has a date')
    return
  }
  assert(expires !== undefined, 'an upload that expires has no date')
  const written = expires - clock.period
  const { from, to } = upload.written
  assert(written >= from - clock.slack && written <= to + clock.slack, `last written at ${written}, not ${from} to ${to}`)
  upload.written = { from: written, to: written + 1000 }
}

function learnOfFinal (upload: Upload, offset: number | undefined, clock: Now): void {
  const parts = upload.parts as Upload[]
  if (offset === undefined) {
    assert(!upload.isJoined, 'a final upload lost its bytes')
    const mustJoin = hasCompleteParts(upload) && !parts.some((part) => mayBeExpired(part, clock))
    assert(!mustJoin, 'a final upload waits although all of its parts are complete')
    return
  }
  const mayHaveBytes = upload.isJoined || upload.maybeJoined || mayHaveCompleteParts(upload)
  assert(mayHaveBytes, 'a final upload has bytes although a part is unfinished')
  assert.equal(offset, upload.size, 'a final upload has some of its bytes')
  upload.isJoined = true
  upload.offset = upload.reach = offset
}

/** Records that an upload is missing; 410 means that a sweep has yet to delete it. */
export function miss (upload: Upload, status: 404 | 410, clock: Now): void {
  assert(upload.isGone || mayBeMissing(upload, clock), 'an upload is lost')
  if (status === 404) upload.isGone = true
  else upload.maybeGone = true
}
