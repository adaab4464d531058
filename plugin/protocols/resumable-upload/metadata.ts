import type { IncomingHttpHeaders } from 'node:http'
import contentDisposition from 'content-disposition'
import { splitList } from '../../http/list-header.ts'
import { mediaTypeOf } from '../../http/request-body.ts'
import type { UploadMetadata } from '../../types.ts'
import { parseRawMetadata, parseUploadMetadata } from '../tus-v1/headers.ts'
import { PARTIAL_UPLOAD } from './handler.ts'

/** The maximum length of a value that is taken from a header, in characters. */
const MAX_VALUE = 255

/** Control characters and lone surrogates, which no file name has. */
const unprintable = /[\p{Cc}\p{Cs}]/gu

/**
 * The metadata of an upload, under the keys that tus clients use, so that hooks read the same from both protocols. The
 * header fields of the creation describe the representation (section 4.2.1). tus-js-client sends `Upload-Metadata` in
 * its IETF modes too: its keys come first.
 * @throws FST_TUS_INVALID_HEADER if `Upload-Metadata` is malformed
 */
export function metadataOf (
  headers: IncomingHttpHeaders
): { metadata: UploadMetadata, rawMetadata?: string | undefined } {
  const sent = parseUploadMetadata(headers)
  const described = describedBy(headers).filter(([key]) => !(key in sent))
  if (described.length === 0) return { metadata: sent, rawMetadata: parseRawMetadata(headers) }
  return { metadata: { ...sent, ...Object.fromEntries(described) } }
}

function describedBy (headers: IncomingHttpHeaders): Array<[key: string, value: string]> {
  const isOfBody = mediaTypeOf(headers) === PARTIAL_UPLOAD
  const codings = splitList(headers['content-encoding']).filter((coding) => coding.toLowerCase() !== 'identity')
  const values: Array<[key: string, value: string]> = [
    ['filename', fileNameIn(headers['content-disposition'])],
    ['filetype', isOfBody ? '' : headers['content-type'] ?? ''],
    ['contentEncoding', codings.join(', ')]
  ]
  return values.flatMap(([key, value]) => value === '' ? [] : [[key, value.slice(0, MAX_VALUE)]])
}

/** The last segment of a file name, printable; empty without one (RFC 6266, 4.3). */
function fileNameIn (disposition: string | undefined): string {
  if (disposition === undefined) return ''
  try {
    const { parameters } = contentDisposition.parse(disposition)
    const segments = (parameters['filename'] ?? '').split(/[/\\]/)
    const name = (segments.at(-1) as string).replace(unprintable, '').trim()
    return /^\.{0,2}$/.test(name) ? '' : name
  } catch {
    return ''
  }
}
