/* eslint @stylistic/max-len: off -- One request per line is easier to compare. [*] */
import type { HeaderLine } from '../grammar.ts'

/** A request found by hand, and its expected outcome. Names in braces are those of the grammar. */
export interface Found {
  title: string
  method: string
  target: string
  headers?: HeaderLine[]
  body?: string
  /** Frames the body with these lines instead of a right `Content-Length`. */
  raw?: HeaderLine[]
  version?: string
  /** Of the response; `'none'` if there must be none. */
  status: number | 'none'
  code?: string
}

const tus: HeaderLine = ['Tus-Resumable', '1.0.0']
const octets: HeaderLine = ['Content-Type', 'application/offset+octet-stream']
const append = (offset: string, ...more: HeaderLine[]): HeaderLine[] => [tus, octets, ['Upload-Offset', offset], ...more]
const creation = (...more: HeaderLine[]): HeaderLine[] => [tus, ['Upload-Length', '10'], ...more]
const chunked: HeaderLine = ['Transfer-Encoding', 'chunked']
const smuggled = 'POST /files HTTP/1.1\r\nHost: a\r\nTus-Resumable: 1.0.0\r\nX-Case: smuggled-{case}\r\nUpload-Length: 1\r\n\r\n'

/** Framing and request smuggling (RFC 9112, 6.3 and 11.2). */
const framing: Found[] = [
  { title: 'Content-Length with Transfer-Encoding', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Content-Length', '3'], chunked], body: '3\r\ndef\r\n0\r\n\r\n', status: 400 },
  { title: 'Content-Length with Transfer-Encoding, followed by a request', method: 'POST', target: '/files', headers: creation(), raw: [['Content-Length', '6'], chunked], body: `0\r\n\r\n${smuggled}`, status: 400 },
  { title: 'two Content-Length that differ', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Content-Length', '3'], ['Content-Length', '4']], body: 'defg', status: 400 },
  { title: 'a list in Content-Length', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Content-Length', '3, 3']], body: 'def', status: 400 },
  { title: 'a sign in Content-Length', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Content-Length', '+3']], body: 'def', status: 400 },
  { title: 'a Content-Length that overflows', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Content-Length', '18446744073709551617']], body: 'd', status: 400 },
  { title: 'a space before the colon of Transfer-Encoding', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Transfer-Encoding ', 'chunked']], body: '0\r\n\r\n', status: 400 },
  { title: 'a vertical tab before chunked', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Transfer-Encoding', '\x0bchunked']], body: '0\r\n\r\n', status: 400 },
  { title: 'chunked not as the last coding', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Transfer-Encoding', 'chunked, identity']], body: '0\r\n\r\n', status: 400 },
  { title: 'a folded header', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [['Upload-Metadata', 'a\r\n b']], status: 400 },
  { title: 'a bare CR in a header', method: 'POST', target: '/files', headers: creation(), raw: [['Upload-Metadata', 'a\rX-Injected: yes']], status: 400 },
  { title: 'a NUL in a header', method: 'POST', target: '/files', headers: creation(), raw: [['Upload-Metadata', 'a\0']], status: 400 },
  { title: 'a chunk size in hexadecimal with 0x', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: '0x3\r\ndef\r\n0\r\n\r\n', status: 400 },
  { title: 'a chunk size that overflows', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: 'FFFFFFFFFFFFFFFFF\r\ndef', status: 400 },
  { title: 'chunks separated by LF alone', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: '3\ndef\n0\n\n', status: 400 },
  { title: 'a chunk longer than its size', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: '3\r\ndefg\r\n0\r\n\r\n', status: 400 },
  { title: 'a chunk extension of 20 kB', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: `3;${'x'.repeat(20_000)}\r\ndef\r\n0\r\n\r\n`, status: 400 },
  { title: 'trailers of 20 kB', method: 'PATCH', target: '/files/{half}', headers: append('3'), raw: [chunked], body: `0\r\nX-Filler: ${'x'.repeat(20_000)}\r\n\r\n`, status: 431 },
  { title: 'a request in a body that is too long', method: 'PATCH', target: '/files/{half}', headers: append('3'), body: smuggled, status: 413, code: 'FST_TUS_BODY_TOO_LONG' },
  { title: 'a request in a body of a creation that ignores it', method: 'POST', target: '/files', headers: creation(['Content-Type', 'text/plain']), body: smuggled, status: 201 },
  { title: 'a request in the body of a DELETE', method: 'DELETE', target: '/files/{half}', headers: [tus], body: smuggled, status: 204 },
  { title: 'a request in the body of a GET', method: 'GET', target: '/files/{complete}', body: smuggled, status: 200 },
  { title: 'an upgrade', method: 'GET', target: '/files/{complete}', headers: [['Connection', 'Upgrade, close'], ['Upgrade', 'websocket']], status: 200 },
  { title: 'HTTP/1.0 with both keep-alive and close', method: 'POST', target: '/files', version: '1.0', headers: creation(['Connection', 'keep-alive'], ['Connection', 'close']), status: 201 },
  { title: 'HTTP/1.1 with both keep-alive and close', method: 'POST', target: '/files', version: '1.1', headers: creation(['Connection', 'keep-alive'], ['Connection', 'close']), status: 201 },
  { title: 'CONNECT', method: 'CONNECT', target: '/files/{half}', headers: append('3'), raw: [], status: 'none' },
  { title: 'a request without Host', method: 'BREW', target: '/files', raw: [], status: 400 },
  { title: 'HTTP/2 without its preface', method: 'PRI', target: '*', version: '2.0', raw: [], status: 400 }
]

/** Numbers (EDGE-01 to EDGE-09). */
const numbers: Found[] = [
  { title: 'an offset in full-width digits', method: 'PATCH', target: '/files/{half}', headers: append('\xef\xbc\x93'), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'an offset of 400 digits', method: 'PATCH', target: '/files/{half}', headers: append('9'.repeat(400)), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'an offset that rounds to the right one as a float', method: 'PATCH', target: '/files/{half}', headers: append('9007199254740993'), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a length of 400 digits', method: 'POST', target: '/files', headers: [tus, ['Upload-Length', '9'.repeat(400)]], status: 413, code: 'FST_TUS_TOO_LARGE' },
  { title: 'an infinite deferred length', method: 'PATCH', target: '/files/{deferred}', headers: append('3', ['Upload-Length', '9007199254740993']), body: 'def', status: 413, code: 'FST_TUS_TOO_LARGE' },
  { title: 'a deferred length below the stored offset', method: 'PATCH', target: '/files/{deferred}', headers: append('3', ['Upload-Length', '2']), status: 400, code: 'FST_TUS_LENGTH_MISMATCH' },
  { title: 'a length that makes the body too long, declared with it', method: 'PATCH', target: '/files/{deferred}', headers: append('3', ['Upload-Length', '4']), body: 'def', status: 413, code: 'FST_TUS_BODY_TOO_LONG' },
  { title: 'both lengths', method: 'POST', target: '/files', headers: creation(['Upload-Defer-Length', '1']), status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a length of 0 with a body', method: 'POST', target: '/files', headers: [tus, octets, ['Upload-Length', '0']], body: 'a', status: 413, code: 'FST_TUS_BODY_TOO_LONG' }
]

const base64 = (text: string) => Buffer.from(text).toString('base64')
const metadata = (text: string) => creation(['Upload-Metadata', text])

/** Metadata (EDGE-10 to EDGE-12). */
const described: Found[] = [
  { title: '100 keys', method: 'POST', target: '/files', headers: metadata(Array.from({ length: 100 }, (_, i) => `k${i}`).join(',')), status: 201 },
  { title: '101 keys', method: 'POST', target: '/files', headers: metadata(Array.from({ length: 101 }, (_, i) => `k${i}`).join(',')), status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: '8192 bytes of metadata', method: 'POST', target: '/files', headers: metadata(`ab ${'YWFh'.repeat(2047)}`.padEnd(8191, 'A').slice(0, 8191)), status: 201 },
  { title: '8193 bytes of metadata', method: 'POST', target: '/files', headers: metadata(`a${'b'.repeat(8192)}`), status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: '8192 commas', method: 'POST', target: '/files', headers: metadata(','.repeat(8192)), status: 400, code: 'FST_TUS_INVALID_HEADER' },
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineSetter__'].map((key): Found => (
    { title: `the key ${key}`, method: 'POST', target: '/files', headers: metadata(`${key} YQ==,filename YQ==`), status: 201 })),
  { title: '__proto__ twice', method: 'POST', target: '/files', headers: metadata('__proto__ YQ==,__proto__ YQ=='), status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a name that ends the header and begins another', method: 'POST', target: '/files', headers: metadata(`filename ${base64('a"\r\nX-Injected: yes\r\n\r\n<script>')}`), status: 201 },
  { title: 'a type that ends the header', method: 'POST', target: '/files', headers: metadata(`filetype ${base64('text/html\r\nX-Injected: yes')}`), status: 201 },
  { title: 'a forged log line', method: 'POST', target: '/files', headers: metadata(`filename ${base64('\n{"level":60,"msg":"forged"}\n\x1b[2J')}`), status: 201 },
  { title: 'a byte outside of base64 in a value', method: 'POST', target: '/files', headers: metadata('a YQ==\x80'), status: 400, code: 'FST_TUS_INVALID_HEADER' }
]

/** Paths and ids (EDGE-20 to EDGE-29). */
const paths: Found[] = [
  ...['..%2f..%2fetc%2fpasswd', '%2e%2e', '{half}%00', '{half}%00.json', '{half}.json', '{half}%2ejson', '{half}.JSON', '{half}.tmp', '{half}/',
    '{half}/..', '%2f{half}', 'a%0d%0aX-Injected:%20yes', '__proto__', 'constructor', '{half}%20', '.{half}', '{half}%5c', 'a'.repeat(4000)
  ].map((id): Found => ({ title: `the id ${id.slice(0, 40)}`, method: 'PATCH', target: `/files/${id}`, headers: append('3'), body: 'def', status: 404 })),
  { title: 'an encoded id', method: 'PATCH', target: '/files/%68alf-{case}', headers: append('3'), body: 'def', status: 204 },
  { title: 'an id in a query', method: 'PATCH', target: '/files/{empty}?id={half}&x=/files/{half}', headers: append('3'), body: 'def', status: 409, code: 'FST_TUS_OFFSET_MISMATCH' },
  { title: 'an invalid escape', method: 'PATCH', target: '/files/%zz', headers: append('3'), body: 'def', status: 400 },
  { title: 'an absolute target at another host', method: 'PATCH', target: 'http://evil.example/files/{half}', headers: append('3'), body: 'def', status: 204 }
]

/** Methods (EDGE-17, EDGE-18). */
const methods: Found[] = [
  ...['__proto__', 'constructor', 'TRACE', 'PATCH, DELETE', '<script>alert(1)</script>', '\xff\xfe', 'x'.repeat(500)].map((method): Found => (
    { title: `the override ${method.slice(0, 30)}`, method: 'POST', target: '/files/{half}', headers: append('3', ['X-HTTP-Method-Override', method]), body: 'def', status: 405, code: 'FST_TUS_METHOD_NOT_ALLOWED' })),
  { title: 'an override of OPTIONS', method: 'OPTIONS', target: '/files/{half}', headers: [tus, ['X-HTTP-Method-Override', 'DELETE']], status: 204 },
  { title: 'an override to OPTIONS', method: 'POST', target: '/files/{half}', headers: append('3', ['X-HTTP-Method-Override', 'OPTIONS']), body: 'def', status: 405, code: 'FST_TUS_METHOD_NOT_ALLOWED' }
]

const checked = (value: string, more: HeaderLine[] = []): HeaderLine[] => append('3', ['Upload-Checksum', value], ...more)

/** Checksums, before and after a body. */
const checksums: Found[] = [
  { title: 'an algorithm named __proto__', method: 'PATCH', target: '/files/{half}', headers: checked('__proto__ YQ=='), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a digest of another length', method: 'PATCH', target: '/files/{half}', headers: checked('sha1 YQ=='), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a digest whose spare bits are set', method: 'PATCH', target: '/files/{half}', headers: checked('sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAB='), body: 'def', status: 400, code: 'FST_TUS_INVALID_HEADER' },
  { title: 'a wrong digest of a body that is also too long', method: 'PATCH', target: '/files/{half}', headers: checked('sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA='), body: 'defghijklmnop', status: 413, code: 'FST_TUS_BODY_TOO_LONG' },
  { title: 'a digest before and one announced after the body', method: 'PATCH', target: '/files/{half}', headers: checked('sha1 {sha1}', [['Trailer', 'Upload-Checksum']]), body: 'def', status: 400, code: 'FST_TUS_CHECKSUM_TWICE' },
  { title: 'a digest announced in a trailer of a body that has no trailers', method: 'PATCH', target: '/files/{half}', headers: append('3', ['Trailer', 'Upload-Checksum']), body: 'def', status: 400, code: 'FST_TUS_CHECKSUM_MISSING' }
]

/** Concatenation (EDGE-75, EDGE-76). */
const concat = (value: string): HeaderLine[] => [tus, ['Upload-Concat', value]]
const joined: Found[] = [
  // The path alone counts: nothing is requested of that host.
  ...['https://evil.example/files/{part}', '//evil.example/files/{part}'].map((url): Found => (
    { title: `a part at ${url}`, method: 'POST', target: '/files', headers: concat(`final;${url}`), status: 201 })),
  ...['https://evil.example/{part}', '//evil.example/{part}', 'javascript:/files/{part}', 'file:///etc/passwd', '/etc/passwd', '{part}',
    '/files/{part}%00', '/files/../files/{part}/', '/files/{part}?x', 'http://[::1', 'http://', '?', '#', '\\\\evil\\{part}'
  ].map((url): Found => ({ title: `a part at ${url}`, method: 'POST', target: '/files', headers: concat(`final;${url}`), status: 400 })),
  { title: 'parts whose sum is too large', method: 'POST', target: '/files', headers: concat('final;/files/{largePart} /files/{part}'), status: 413, code: 'FST_TUS_TOO_LARGE' },
  { title: 'one part 300 times', method: 'POST', target: '/files', headers: concat(`final;${'/files/{part} '.repeat(300)}`), status: 413, code: 'FST_TUS_TOO_LARGE' },
  { title: 'a part that is not a partial upload', method: 'POST', target: '/files', headers: concat('final;/files/{complete}'), status: 400, code: 'FST_TUS_INVALID_PARTS' },
  { title: 'a final upload with a body', method: 'POST', target: '/files', headers: concat('final;/files/{part}'), body: 'abc', status: 403, code: 'FST_TUS_FINAL_UPLOAD' },
  { title: 'a final upload with a length', method: 'POST', target: '/files', headers: [...concat('final;/files/{part}'), ['Upload-Length', '5']], status: 400, code: 'FST_TUS_INVALID_HEADER' }
]

export const corpus: Found[] = [...framing, ...numbers, ...described, ...paths, ...methods, ...checksums, ...joined]
