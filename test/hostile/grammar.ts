/* eslint @stylistic/max-len: off -- Lists of values are read better in few lines. */
/**
 * Requests near the grammar of tus 1.0.0 and of HTTP/1.1: right ones, and ones beside. `{name}` in a path or header
 * stands for the id of an upload that lies ready, `{case}` for the name of the case.
 */
import fc, { type Arbitrary } from 'fast-check'
import { checksumAlgorithms, digestLengths } from '../../plugin/uploads/checksum.ts'
import { uploads } from './target.ts'

export type HeaderLine = [name: string, value: string]

/** A request, whose framing is right and wrong by `framing`. */
export interface HostileRequest {
  method: string
  target: string
  version: string
  headers: HeaderLine[]
  body: string
  framing: Framing
}

export type Framing =
  /** Whole, so that an answer is due: with `Content-Length`, or in chunks. */
  | { kind: 'length' }
  | { kind: 'chunks', sizes: number[], trailers: HeaderLine[], extension: string }
  /** As it is written: whatever comes of it. */
  | { kind: 'raw', lines: HeaderLine[], body: string }

const oneOf = <T> (...values: T[]): Arbitrary<T> => fc.constantFrom(...values)
const often = <T> (right: Arbitrary<T>, beside: Arbitrary<T>, weight = 4): Arbitrary<T> =>
  fc.oneof({ arbitrary: right, weight }, { arbitrary: beside, weight: 1 })

/** A character that may be in the value of a header (RFC 9110, 5.5), bytes above ASCII included. */
const valueCharacter = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code))
const valueText = fc.string({ unit: valueCharacter, maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array))

/** A right value with something done to it. */
function beside (right: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(right, fc.nat(200), valueText, fc.nat(11)).map(([value, at, text, how]) => {
    const place = value.length === 0 ? 0 : at % value.length
    const changes = [
      () => value.slice(0, place) + text + value.slice(place),
      () => value.slice(0, place) + value.slice(place + 1),
      () => `${value}, ${value}`,
      () => `${value},${value}`,
      () => value.toUpperCase(),
      () => ` ${value}\t`,
      () => value.slice(0, place),
      () => `"${value}"`,
      () => `${value};q=1`,
      () => value.repeat(2),
      () => text,
      () => ''
    ]
    return (changes[how] as () => string)()
  })
}

const number = fc.oneof(
  { arbitrary: oneOf('0', '3', '5', '3', '5', '10', '1', '2', '7', '11', '1000', '1001'), weight: 20 },
  { arbitrary: fc.nat().map(String), weight: 1 },
  {
    arbitrary: oneOf('-1', '-0', '+5', '05', '5.0', '1e1', '0x10', 'NaN', 'Infinity', '', '5 5', '5,5', '0b1', '٥',
      '9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551616', '9'.repeat(400), '1_0', '１'),
    weight: 3
  },
  { arbitrary: beside(fc.nat(12).map(String)), weight: 1 }
).map((text) => Buffer.from(text).toString('latin1'))

const metadataKey = fc.oneof(
  { arbitrary: oneOf('filename', 'filetype', 'name', 'a', 'owner', 'k=v', '~'), weight: 4 },
  { arbitrary: oneOf('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', '__defineGetter__'), weight: 2 },
  { arbitrary: fc.string({ unit: valueCharacter, maxLength: 8 }), weight: 1 }
)
const base64 = fc.oneof(
  bytes.map((value) => value.toString('base64')),
  oneOf('\r\n\r\nHTTP/1.1 200 OK\r\nX-Injected: yes\r\n\r\n', '"; filename="x', '\0', '\u2028', '../../etc/passwd',
    '\x1b[2J', '<script>', '{"level":60,"msg":"forged"}\n{"level":60}', 'text/html', '\u{1f4a3}', 'a'.repeat(300)
  ).map((value) => Buffer.from(value).toString('base64'))
)
const metadataPair = fc.oneof(
  { arbitrary: fc.tuple(metadataKey, base64).map((pair) => pair.join(' ')), weight: 16 },
  { arbitrary: metadataKey, weight: 2 },
  { arbitrary: beside(fc.tuple(metadataKey, base64).map((pair) => pair.join(' '))), weight: 1 }
)
const metadata = fc.oneof(
  { arbitrary: fc.array(metadataPair, { maxLength: 4 }).map((pairs) => pairs.join(',')), weight: 20 },
  { arbitrary: oneOf(98, 99, 100, 101, 102).map((keys) => Array.from({ length: keys }, (_, i) => `k${i}`).join(',')), weight: 1 },
  { arbitrary: fc.integer({ min: 8180, max: 8200 }).map((length) => `a ${'YWFh'.repeat(length / 4)}`.slice(0, length)), weight: 1 },
  { arbitrary: oneOf(' ', ',', ',,', 'a YQ==,', ',a YQ==', 'a  YQ==', 'a YQ== ', 'a YQ', 'a _-8=', 'a YQ==,a YQ=='), weight: 1 }
)

const partUrl = fc.oneof(
  { arbitrary: oneOf('/files/{part}', '/files/{openPart}', '/files/{largePart}', 'files/{part}'), weight: 20 },
  {
    arbitrary: oneOf('/files/{whole}', '/files/{half}', '/files/{deferred}', '/files/none', '{part}', '/files/', '/files',
      'http://evil.example/files/{part}', '//evil.example/files/{part}', 'javascript:/files/{part}', 'file:///etc/passwd',
      '/files/%2e%2e/{part}', '/files/../files/{part}', '/files/{part}?x=1', '/files/{part}#x', '/files/{part}/',
      'http://localhost/files/{part}', 'http://[::1', 'http://user:pass@localhost/files/{part}', '/files/{part}%00',
      '\\files\\{part}', 'data:,x', '?', '#', '.', '..', '/files/{part},/files/{part}', 'http://'),
    weight: 3
  },
  { arbitrary: beside(fc.constant('/files/{part}')), weight: 1 }
)
const concat = fc.oneof(
  { arbitrary: fc.constant('partial'), weight: 3 },
  { arbitrary: fc.array(partUrl, { minLength: 1, maxLength: 6 }).map((urls) => `final;${urls.join(' ')}`), weight: 6 },
  { arbitrary: oneOf(200, 400, 1100).map((times) => `final;${'/files/{part} '.repeat(times)}`), weight: 1 },
  { arbitrary: oneOf('final', 'final;', 'final; ', 'Partial', 'final /files/{part}', 'partial;', 'FINAL;/files/{part}'), weight: 1 },
  { arbitrary: beside(oneOf('partial', 'final;/files/{part} /files/{part}')), weight: 1 }
)

/** `{sha1}` and the like stand for the right digest of the body. */
const checksum = fc.oneof(
  { arbitrary: fc.constantFrom(...checksumAlgorithms).map((name) => `${name} {${name}}`), weight: 8 },
  {
    arbitrary: fc.constantFrom(...checksumAlgorithms).chain((name) =>
      fc.uint8Array({ minLength: digestLengths.get(name)!, maxLength: digestLengths.get(name)! })
        .map((digest) => `${name} ${Buffer.from(digest).toString('base64')}`)),
    weight: 2
  },
  { arbitrary: oneOf('crc32 AAAA', 'sha1', 'sha1 ', 'sha1  {sha1}', 'SHA1 {sha1}', 'sha1 ====', '__proto__ {sha1}', 'sha1 YQ=='), weight: 2 },
  { arbitrary: beside(fc.constant('sha1 {sha1}')), weight: 1 }
)

const mediaType = often(fc.constant('application/offset+octet-stream'), fc.oneof(
  oneOf('Application/Offset+Octet-Stream; charset=utf-8', 'application/json', 'text/plain', '', '/', ';', 'a/b;c="',
    'multipart/form-data; boundary=x', 'application/offset+octet-stream;'.repeat(50), 'application/x-www-form-urlencoded'),
  beside(fc.constant('application/offset+octet-stream'))
), 12)

const override = fc.oneof(
  oneOf('PATCH', 'POST', 'DELETE', 'HEAD', 'GET', 'OPTIONS', 'patch', 'PUT', 'TRACE', '', ' ', 'PATCH, DELETE', '__proto__',
    'constructor', 'toString', '<script>', 'CONNECT'),
  valueText
)

const expectation = oneOf('100-continue', '100-Continue', 'nonsense', '', '100-continue, 100-continue')
const codings = oneOf('identity', 'gzip', 'br', '', 'identity, identity')
const version = often(fc.constant('1.0.0'), fc.oneof(oneOf('0.2.2', '1.0', '1.0.0, 1.0.0', '', '2.0.0'), valueText), 20)

/** A header that is there or not, and now and then twice. */
function line (name: string, value: Arbitrary<string>, presence: number): Arbitrary<HeaderLine[]> {
  // What is shrunk goes towards 0: away with it.
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
    arbitrary: fc.tuple(uploadPath, oneOf('/', '//', '?x=/files/{whole}', '?{whole}', '.json', '.tmp', '%00', '%2ejson', ';x',
      '/..', '/../{whole}', '%20', '\\', '/{whole}', '#{whole}', '%', '%zz', '%e4%b8', 'x'.repeat(200))).map((parts) => parts.join('')),
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
