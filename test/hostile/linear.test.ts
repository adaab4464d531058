import t from 'tap'
import { parseResponse } from '../../conformance/response-parser.ts'
import { evaluate } from '../../plugin/download/conditional.ts'
import { describe } from '../../plugin/description.ts'
import { wantsEvents } from '../../plugin/download/progress-events.ts'
import { parseRange } from '../../plugin/download/range.ts'
import { essenceOf } from '../../plugin/media-types.ts'
import { announcesTrailer, parseUploadChecksum } from '../../plugin/protocols/tus-v1/headers.ts'

/** So many characters that quadratic time runs into the time limit of the test. */
const MANY = 2_000_000

const name = (filename: string) => describe({ filename }, () => false)
const answer = (head: string) => parseResponse(Buffer.from(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`), 'HEAD', true)

const parsers: Record<string, (text: string) => unknown> = {
  'a file name': (text) => name(`${text}x`),
  'a file name in front': (text) => name(`x${text}`),
  'a media type': (text) => essenceOf(`a/${text}x`),
  'If-Match': (text) => evaluate({ 'if-match': text }, { etag: '"x"' }),
  'If-None-Match': (text) => evaluate({ 'if-none-match': text }, { etag: '"x"' }),
  Accept: (text) => wantsEvents({ method: 'GET', headers: { accept: `,${text}x` } } as Parameters<typeof wantsEvents>[0]),
  Range: (text) => parseRange(`bytes=${text}x`, 1),
  Trailer: (text) => announcesTrailer({ trailer: text }, 'x'),
  'Upload-Checksum': (text) => parseUploadChecksum(`sha1 ${text}!`),
  'a header of a response': (text) => answer(`a: x${text}x`)
}

for (const [what, parse] of Object.entries(parsers)) {
  t.test(`${what} of any length is read in linear time`, async (t) => {
    for (const part of ['/', '\\', ' ', '"', ';', '.', '1', 'A', 'W/']) {
      try {
        parse(part.repeat(MANY / part.length))
      } catch (error) {
        t.match(error, { message: /^Upload-Checksum must/ })
      }
    }
  })
}
