/* eslint @stylistic/max-len: off -- Lists of values are easier to read in few lines. [*] */
/** Values of headers near the grammar of tus 1.0.0 and of HTTP/1.1: valid and slightly invalid ones. */
import fc, { type Arbitrary } from 'fast-check'
import { checksumAlgorithms, digestLengths } from '../../plugin/uploads/body/checksum.ts'

export const oneOf = <T> (...values: T[]): Arbitrary<T> => fc.constantFrom(...values)
export const often = <T> (right: Arbitrary<T>, nearMiss: Arbitrary<T>, weight = 4): Arbitrary<T> =>
  fc.oneof({ arbitrary: right, weight }, { arbitrary: nearMiss, weight: 1 })

/** A character that may be in the value of a header (RFC 9110, 5.5), including bytes above ASCII. */
const valueCharacter = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code))
export const valueText = fc.string({ unit: valueCharacter, maxLength: 40 })
export const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array))

/** A valid value with a small change. */
function nearMiss (right: Arbitrary<string>): Arbitrary<string> {
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

export const number = fc.oneof(
  { arbitrary: oneOf('0', '3', '5', '3', '5', '10', '1', '2', '7', '11', '1000', '1001'), weight: 20 },
  { arbitrary: fc.nat().map(String), weight: 1 },
  {
    arbitrary: oneOf('-1', '-0', '+5', '05', '5.0', '1e1', '0x10', 'NaN', 'Infinity', '', '5 5', '5,5', '0b1', '٥',
      '9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551616', '9'.repeat(400), '1_0', '１'),
    weight: 3
  },
  { arbitrary: nearMiss(fc.nat(12).map(String)), weight: 1 }
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
  { arbitrary: nearMiss(fc.tuple(metadataKey, base64).map((pair) => pair.join(' '))), weight: 1 }
)
export const metadata = fc.oneof(
  { arbitrary: fc.array(metadataPair, { maxLength: 4 }).map((pairs) => pairs.join(',')), weight: 20 },
  { arbitrary: oneOf(98, 99, 100, 101, 102).map((keys) => Array.from({ length: keys }, (_, i) => `k${i}`).join(',')), weight: 1 },
  { arbitrary: fc.integer({ min: 8180, max: 8200 }).map((length) => `a ${'YWFh'.repeat(length / 4)}`.slice(0, length)), weight: 1 },
  { arbitrary: oneOf(' ', ',', ',,', 'a YQ==,', ',a YQ==', 'a  YQ==', 'a YQ== ', 'a YQ', 'a _-8=', 'a YQ==,a YQ=='), weight: 1 }
)

const partUrl = fc.oneof(
  { arbitrary: oneOf('/files/{part}', '/files/{openPart}', '/files/{largePart}', 'files/{part}'), weight: 20 },
  {
    arbitrary: oneOf('/files/{complete}', '/files/{half}', '/files/{deferred}', '/files/none', '{part}', '/files/', '/files',
      'http://evil.example/files/{part}', '//evil.example/files/{part}', 'javascript:/files/{part}', 'file:///etc/passwd',
      '/files/%2e%2e/{part}', '/files/../files/{part}', '/files/{part}?x=1', '/files/{part}#x', '/files/{part}/',
      'http://localhost/files/{part}', 'http://[::1', 'http://user:pass@localhost/files/{part}', '/files/{part}%00',
      '\\files\\{part}', 'data:,x', '?', '#', '.', '..', '/files/{part},/files/{part}', 'http://'),
    weight: 3
  },
  { arbitrary: nearMiss(fc.constant('/files/{part}')), weight: 1 }
)
export const concat = fc.oneof(
  { arbitrary: fc.constant('partial'), weight: 3 },
  { arbitrary: fc.array(partUrl, { minLength: 1, maxLength: 6 }).map((urls) => `final;${urls.join(' ')}`), weight: 6 },
  { arbitrary: oneOf(200, 400, 1100).map((times) => `final;${'/files/{part} '.repeat(times)}`), weight: 1 },
  { arbitrary: oneOf('final', 'final;', 'final; ', 'Partial', 'final /files/{part}', 'partial;', 'FINAL;/files/{part}'), weight: 1 },
  { arbitrary: nearMiss(oneOf('partial', 'final;/files/{part} /files/{part}')), weight: 1 }
)

/** `{sha1}` and the like stand for the right digest of the body. */
export const checksum = fc.oneof(
  { arbitrary: fc.constantFrom(...checksumAlgorithms).map((name) => `${name} {${name}}`), weight: 8 },
  {
    arbitrary: fc.constantFrom(...checksumAlgorithms).chain((name) =>
      fc.uint8Array({ minLength: digestLengths.get(name)!, maxLength: digestLengths.get(name)! })
        .map((digest) => `${name} ${Buffer.from(digest).toString('base64')}`)),
    weight: 2
  },
  { arbitrary: oneOf('crc32 AAAA', 'sha1', 'sha1 ', 'sha1  {sha1}', 'SHA1 {sha1}', 'sha1 ====', '__proto__ {sha1}', 'sha1 YQ=='), weight: 2 },
  { arbitrary: nearMiss(fc.constant('sha1 {sha1}')), weight: 1 }
)

export const mediaType = often(fc.constant('application/offset+octet-stream'), fc.oneof(
  oneOf('Application/Offset+Octet-Stream; charset=utf-8', 'application/json', 'text/plain', '', '/', ';', 'a/b;c="',
    'multipart/form-data; boundary=x', 'application/offset+octet-stream;'.repeat(50), 'application/x-www-form-urlencoded'),
  nearMiss(fc.constant('application/offset+octet-stream'))
), 12)

export const override = fc.oneof(
  oneOf('PATCH', 'POST', 'DELETE', 'HEAD', 'GET', 'OPTIONS', 'patch', 'PUT', 'TRACE', '', ' ', 'PATCH, DELETE', '__proto__',
    'constructor', 'toString', '<script>', 'CONNECT'),
  valueText
)

export const expectation = oneOf('100-continue', '100-Continue', 'nonsense', '', '100-continue, 100-continue')
export const codings = oneOf('identity', 'gzip', 'br', '', 'identity, identity')
export const version = often(fc.constant('1.0.0'), fc.oneof(oneOf('0.2.2', '1.0', '1.0.0, 1.0.0', '', '2.0.0'), valueText), 20)
