/**
 * The headers of tus 1.0.0: for each, a function that parses it into a plain value, and a function that formats it.
 * Nothing else here. Sections are those of https://tus.io/protocols/resumable-upload.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { errors } from '../../errors.ts'
import { splitList } from '../../http/list-header.ts'
import type { Upload, UploadMetadata } from '../../types.ts'
import { type Checksum, checksumAlgorithms, digestLengths } from '../../uploads/body/checksum.ts'
import { MAX_METADATA_BYTES, MAX_METADATA_KEYS } from '../../uploads/new-upload.ts'

export const TUS_VERSION = '1.0.0'

/** The media type of bodies that are appended. */
export const OFFSET_OCTET_STREAM = 'application/offset+octet-stream'

/**
 * Core, "Upload-Offset": a non-negative integer.
 * @throws FST_TUS_INVALID_HEADER also if it is missing
 */
export function parseUploadOffset (headers: IncomingHttpHeaders): number {
  const offset = parseInteger('Upload-Offset', headers['upload-offset'])
  if (offset === undefined) throw new errors.InvalidHeader('Upload-Offset', 'is required')
  if (!Number.isSafeInteger(offset)) throw new errors.InvalidHeader('Upload-Offset', 'is too large')
  return offset
}

/**
 * Core, "Upload-Length".
 * @returns an integer that may be too large to be exact; `undefined` without the header
 */
export function parseUploadLength (headers: IncomingHttpHeaders): number | undefined {
  return parseInteger('Upload-Length', headers['upload-length'])
}

/** Creation, "Upload-Defer-Length": the only value is 1. */
export function parseUploadDeferLength (headers: IncomingHttpHeaders): boolean {
  const value = headers['upload-defer-length']
  if (value === undefined) return false
  if (value !== '1') throw new errors.InvalidHeader('Upload-Defer-Length', 'must be 1')
  return true
}

// A key has no comma or space; a value is base64 with padding, or empty. White space may surround the pair.
const metadataPair =
  /^[ \t]*(?<key>[\x21-\x2b\x2d-\x7e]+)(?: (?<value>(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?))?[ \t]*$/

/**
 * Creation, "Upload-Metadata": pairs of a key and a base64 value, separated by commas, which white space may surround
 * (RFC 9110, 5.6.1). Node.js joins two of these headers into such a list. An empty header is no metadata.
 */
export function parseUploadMetadata (headers: IncomingHttpHeaders): UploadMetadata {
  const text = parseRawMetadata(headers)
  if (text === undefined) return {}
  if (text.length > MAX_METADATA_BYTES) {
    throw new errors.InvalidHeader('Upload-Metadata', `is longer than ${MAX_METADATA_BYTES} bytes`)
  }
  const pairs = text.split(',')
  if (pairs.length > MAX_METADATA_KEYS) {
    throw new errors.InvalidHeader('Upload-Metadata', `has more than ${MAX_METADATA_KEYS} keys`)
  }
  const metadata = new Map<string, string | null>()
  for (const pair of pairs) {
    const { key, value } = metadataPair.exec(pair)?.groups ?? {}
    if (key === undefined) {
      throw new errors.InvalidHeader('Upload-Metadata', 'must be comma-separated pairs of a key and a base64 value')
    }
    if (metadata.has(key)) throw new errors.InvalidHeader('Upload-Metadata', 'has a duplicate key')
    metadata.set(key, value === undefined ? null : Buffer.from(value, 'base64').toString())
  }
  // Unlike an assignment, this makes `__proto__` an ordinary key.
  return Object.fromEntries(metadata)
}

/** `Upload-Metadata` exactly as the client sent it; `undefined` for none. */
export function parseRawMetadata (headers: IncomingHttpHeaders): string | undefined {
  return headers['upload-metadata'] as string | undefined || undefined
}

/** Formats `Upload-Metadata`, exactly as the client sent it if that is known. */
export function formatUploadMetadata ({ rawMetadata, metadata = {} }: Upload): string {
  return rawMetadata ?? Object.entries(metadata)
    .map(([key, value]) => value === null ? key : `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

/**
 * Expiration, "Upload-Expires".
 * @param at - in ms since the epoch
 * @returns an IMF-fixdate (RFC 9110, 5.6.7)
 */
export function formatUploadExpires (at: number): string {
  return new Date(at).toUTCString()
}

/** `Upload-Concat` of a final upload, and the URLs in it. */
export interface FinalConcat {
  header: string
  urls: string[]
}

/** The maximum number of parts of a final upload: each of them is read before anything is copied. */
const MAX_PARTS = 1000

/** Concatenation, "Upload-Concat": `partial`, or `final;` and the URLs of the parts, separated by spaces. */
export function parseUploadConcat (headers: IncomingHttpHeaders): { header: string } | FinalConcat | undefined {
  const header = headers['upload-concat']
  if (header === undefined) return undefined
  if (header === 'partial') return { header }
  const urls = typeof header === 'string' && header.startsWith('final;') ? header.slice('final;'.length).trim() : ''
  if (urls === '') throw new errors.InvalidHeader('Upload-Concat', 'must be "partial", or "final;" and URLs')
  // Stops at the limit: a header may have thousands of URLs.
  const list = urls.split(/ +/, MAX_PARTS + 1)
  if (list.length > MAX_PARTS) throw new errors.InvalidParts(`at most ${MAX_PARTS} parts are allowed`)
  return { header: String(header), urls: list }
}

// A name is lower-case; a digest is base64 with padding.
const checksum = /^(?<algorithm>[a-z0-9-]+) (?<digest>[A-Za-z0-9+/]+={0,2})$/

/**
 * Checksum, "Upload-Checksum": the name of an algorithm, a space, and the digest in base64.
 * @param value - of the header or the trailer; Node.js joins two of them into something invalid
 */
export function parseUploadChecksum (value: string | string[] | undefined): Checksum | undefined {
  if (value === undefined) return undefined
  const { algorithm = '', digest = '' } = checksum.exec(String(value))?.groups ?? {}
  if (algorithm === '') throw new errors.InvalidHeader('Upload-Checksum', 'must be an algorithm and a base64 digest')
  if (!checksumAlgorithms.includes(algorithm)) {
    throw new errors.InvalidHeader('Upload-Checksum', `must use one of ${checksumAlgorithms.join(', ')}`)
  }
  const bytes = Buffer.from(digest, 'base64')
  if (bytes.length !== digestLengths.get(algorithm) || bytes.toString('base64') !== digest) {
    throw new errors.InvalidHeader('Upload-Checksum', `must have a digest of ${digestLengths.get(algorithm)} bytes for ${algorithm}`)
  }
  return { algorithm, digest: bytes }
}

/** Whether a trailer is announced (RFC 9110, 6.6.2). */
export function announcesTrailer ({ trailer }: IncomingHttpHeaders, name: string): boolean {
  return splitList(trailer).some((announced) => announced.toLowerCase() === name)
}

function parseInteger (name: string, value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !/^\d+$/.test(value)) {
    throw new errors.InvalidHeader(name, 'must be a non-negative integer')
  }
  return Number(value)
}
