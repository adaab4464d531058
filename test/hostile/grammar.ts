/* eslint @stylistic/max-len: off -- Lists of values are easier to read in few lines. [*] */
/**
 * Requests near the grammar of tus 1.0.0 and of HTTP/1.1: valid and slightly invalid ones. `{name}` in a path or header
 * stands for the id of a prepared upload, `{case}` for the name of the case.
 */
import fc, { type Arbitrary } from 'fast-check'
import { uploads } from './target.ts'
import { bytes, checksum, codings, concat, expectation, mediaType, metadata, number, often, oneOf, override, valueText, version } from './values.ts'

export type HeaderLine = [name: string, value: string]

/** A request, whose framing is right or wrong according to `framing`. */
export interface HostileRequest {
  method: string
  target: string
  version: string
  headers: HeaderLine[]
  body: string
  framing: Framing
}

export type Framing =
  /** Complete, so that a response is due: with `Content-Length`, or in chunks. */
  | { kind: 'length' }
  | { kind: 'chunks', sizes: number[], trailers: HeaderLine[], extension: string }
  /** Sent as written, whatever the outcome. */
  | { kind: 'raw', lines: HeaderLine[], body: string }

/** A header that is present or not, and now and then twice. */
function line (name: string, value: Arbitrary<string>, presence: number): Arbitrary<HeaderLine[]> {
  // Shrinking goes towards 0: the header is removed.
  return fc.tuple(fc.noBias(fc.nat(99)), fc.noBias(fc.nat(99)), value, value).map(([is, twice, ...values]) =>
    is < 100 - presence ? [] : values.slice(0, twice < 97 ? 1 : 2).map((text): HeaderLine => [name, text]))
}

const patchHeaders = fc.tuple(
  line('Tus-Resumable', version, 97), line('Upload-Offset', number, 97), line('Content-Type', mediaType, 97),
  line('Upload-Length', number, 12), line('Upload-Checksum', checksum, 30), line('Content-Encoding', codings, 4)
)
const postHeaders = fc.tuple(
  line('Tus-Resumable', version, 97), line('Upload-Length', number, 75), line('Upload-Defer-Length', often(fc.constant('1'), number), 15),
  line('Upload-Metadata', metadata, 60), line('Upload-Concat', concat, 30), line('Upload-Checksum', checksum, 8),
  line('Content-Type', mediaType, 40), line('Content-Encoding', codings, 4)
)
const otherHeaders = fc.tuple(line('Tus-Resumable', version, 90), line('Upload-Offset', number, 10))

const extraHeaders = fc.tuple(
  line('X-HTTP-Method-Override', override, 7), line('Expect', expectation, 5),
  line('Origin', fc.oneof(oneOf('https://example.com', 'null', ''), valueText), 15),
  line('Access-Control-Request-Method', override, 5), line('X-Forwarded-Host', valueText, 5),
  line('X-Forwarded-Proto', oneOf('https', 'https,http', 'javascript'), 5),
  line('Connection', oneOf('close', 'keep-alive', 'Upload-Offset', 'keep-alive, Transfer-Encoding'), 6),
  line('Upgrade', oneOf('websocket', 'h2c', 'TLS/1.0'), 3), line('Trailer', oneOf('Upload-Checksum', 'upload-checksum, x', '', ','), 12),
  line('Range', oneOf('bytes=0-1', 'bytes=-1', 'bytes=0-,0-,0-', 'x'), 5)
)

const uploadPath = fc.constantFrom(...Object.keys(uploads)).map((name) => `/files/{${name}}`)
const creationPath = often(fc.constant('/files'), oneOf(
  '/files/', '/files?x=1', '/files/?x=/{half}', 'http://localhost/files', '/files;a', '/files%2f', '/files/./', '//files',
  '/Files', '/files#x', '*', '/files\\', '/files/%2e%2e/files', 'http://evil.example/files'), 16)
const path = fc.oneof(
  { arbitrary: uploadPath, weight: 24 },
  {
    arbitrary: fc.tuple(uploadPath, oneOf('/', '//', '?x=/files/{complete}', '?{complete}', '.json', '.tmp', '%00', '%2ejson', ';x',
      '/..', '/../{complete}', '%20', '\\', '/{complete}', '#{complete}', '%', '%zz', '%e4%b8', 'x'.repeat(200))).map((parts) => parts.join('')),
    weight: 2
  },
  {
    arbitrary: oneOf('/files/..%2f..%2fetc%2fpasswd', '/files/%2e%2e', '/files/..', '/files/.', '/files/%00', '/files/a%0d%0ab',
      `/files/${'a'.repeat(5000)}`, '/files/con', '/files/__proto__', '/files/*', '/%66iles/{half}', 'http://localhost/files/{half}',
      '/files//{half}', '/files/%7Bhalf%7D', '/nothing', '*', '/', '/files/-', '/files/$&', '/files/\xff\xfe'),
    weight: 2
  },
  { arbitrary: fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 30 }).map((id) => `/files/${id}`), weight: 1 }
)

const smuggled = 'POST /files HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nX-Case: smuggled-{case}\r\n' +
  'Upload-Length: 1\r\n\r\n'
const body = fc.oneof(
  { arbitrary: oneOf('', 'abc', 'd', 'fghij', 'abcdefghij', 'defghij', 'abcdefghijk'), weight: 8 },
  { arbitrary: fc.constant(smuggled), weight: 2 },
  { arbitrary: fc.nat(3000).map((length) => 'x'.repeat(length)), weight: 1 },
  { arbitrary: bytes.map((value) => value.toString('latin1')), weight: 1 },
  { arbitrary: oneOf('0\r\n\r\n', '\r\n', '5\r\nabc'), weight: 1 }
)

const trailers = fc.tuple(
  line('Upload-Checksum', checksum, 50), line('Upload-Offset', number, 5), line('Content-Length', number, 5),
  line('Transfer-Encoding', oneOf('chunked', 'gzip'), 3), line('X-HTTP-Method-Override', override, 3),
  line('X-Filler', fc.nat(3000).map((length) => 'x'.repeat(length)), 3)
).map((lines) => lines.flat())

const chunkExtension = often(fc.constant(''), oneOf(';a=b', ';a="b"', ';a'), 6)

const brokenLines = fc.array(fc.oneof(
  fc.tuple(fc.constant('Content-Length'), oneOf('3', '0', '1', '10', '-1', '+3', '3, 3', '3,4', '0x3', '3 ', '', '99999999999999999999', '1e1', '3;3')),
  fc.tuple(oneOf('Transfer-Encoding', 'transfer-encoding', 'Transfer-Encoding ', ' Transfer-Encoding', 'Transfer_Encoding', 'TE'),
    oneOf('chunked', 'Chunked', 'chunked, chunked', 'gzip, chunked', 'chunked, gzip', 'identity', 'xchunked', 'chunked;q=1',
      '\x0bchunked', 'chunked\x00', '"chunked"', '', 'chunked,', 'chunked\r\n folded')),
  fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 20 })),
  fc.tuple(oneOf('X-A', 'Upload-Offset', 'Host', 'Upload-Metadata'), oneOf('a\r\n b', 'a\rb', 'a\nX-Injected: yes', '\0', 'x'.repeat(20_000), '\x7f'))
), { maxLength: 3 })
const brokenBody = fc.oneof(
  oneOf('', 'abc', '3\r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n', '0\r\n\r\n', '3\nabc\n0\n\n', '0x3\r\nabc\r\n0\r\n\r\n', '-3\r\nabc\r\n0\r\n\r\n',
    '+3\r\nabc\r\n0\r\n\r\n', ' 3\r\nabc\r\n0\r\n\r\n', 'FFFFFFFFFFFFFFFFF\r\nabc', 'FFFFFFFFFFFFFFFF\r\nabc', '3;a=\r\n\r\nabc\r\n0\r\n\r\n', '3;\r\nabc\r\n0\r\n\r\n', '3 ;x\r\nabc\r\n0\r\n\r\n', '3\r\nabcd\r\n0\r\n\r\n',
    '3\r\nab', '0\r\nX', `3;${'x'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`, `0\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`,
    '3\r\nabc\r\n0\r\nUpload-Checksum: sha1 x\r\nContent-Length: 5\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', `0\r\n\r\n${smuggled}`, `3\r\nabc\r\n0\r\n\r\n${smuggled}`),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 60 })
)

const framing: Arbitrary<Framing> = fc.oneof(
  { arbitrary: fc.constant<Framing>({ kind: 'length' }), weight: 6 },
  {
    arbitrary: fc.record({
      kind: fc.constant('chunks' as const), sizes: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 4 }), trailers, extension: chunkExtension
    }),
    weight: 3
  },
  { arbitrary: fc.record({ kind: fc.constant('raw' as const), lines: brokenLines, body: brokenBody }), weight: 3 }
)

function request (
  method: Arbitrary<string>, target: Arbitrary<string>, headers: Arbitrary<HeaderLine[][]>
): Arbitrary<HostileRequest> {
  return fc.record({
    method,
    target,
    version: often(fc.constant('1.1'), fc.constant('1.0'), 20),
    headers: fc.tuple(headers, extraHeaders).map(([own, extra]) => [...own, ...extra].flat()),
    body,
    framing
  })
}

export const hostileRequest: Arbitrary<HostileRequest> = fc.oneof(
  { arbitrary: request(fc.constant('PATCH'), path, patchHeaders), weight: 6 },
  { arbitrary: request(fc.constant('POST'), often(creationPath, path, 12), postHeaders), weight: 6 },
  { arbitrary: request(oneOf('HEAD', 'GET', 'DELETE', 'OPTIONS'), path, otherHeaders), weight: 3 },
  { arbitrary: request(oneOf('PUT', 'TRACE', 'QUERY', 'PROPFIND', 'LOCK', 'SEARCH', 'M-SEARCH', 'PATCH'), fc.oneof(path, creationPath), patchHeaders), weight: 1 }
)
