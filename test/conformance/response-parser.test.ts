import t from 'tap'
import { parseResponse } from '../../conformance/response-parser.ts'

const parse = (text: string, method = 'GET', ended = false) => {
  const { interim, head, body, rest } = parseResponse(Buffer.from(text, 'latin1'), method, ended)
  return { interim: interim.map(({ status }) => status), head, body: body?.toString(), rest: rest.toString() }
}

t.test('a head in several pieces is parsed once complete', async (t) => {
  const text = 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n'
  for (let i = 0; i < text.length; i++) t.equal(parse(text.slice(0, i)).head, undefined)
  t.strictSame(parse(text).head, { status: 204, reason: 'No Content', headers: [['A', 'b']] })
})

t.test('repeated headers and their case are preserved, and spaces are trimmed', async (t) => {
  const { head } = parse('HTTP/1.1 200 \r\nX-a:1\r\nx-A: \t2 3 \r\nC:\r\nContent-Length: 0\r\n\r\n')
  t.strictSame(head?.headers, [['X-a', '1'], ['x-A', '2 3'], ['C', ''], ['Content-Length', '0']])
})

t.test('interim responses are parsed before the final one', async (t) => {
  const { interim, head } = parse('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 104 A\r\nB: c\r\n\r\nHTTP/1.1 204 D\r\n\r\n')
  t.strictSame(interim, [100, 104])
  t.equal(head?.status, 204)
  t.strictSame(parse('HTTP/1.1 100 Continue\r\n\r\n').interim, [100])
})

t.test('a body ends after its Content-Length, and the rest is returned', async (t) => {
  const text = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'
  t.equal(parse(`${text}ab`).body, undefined)
  t.match(parse(`${text}abcHTTP`), { body: 'abc', rest: 'HTTP' })
})

t.test('a chunked body may have extensions and trailers', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
  const text = `${head}3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nrest`
  for (let i = 0; i < text.length - 4; i++) t.equal(parse(text.slice(0, i)).body, undefined)
  t.match(parse(text), { body: 'abc0123456789', rest: 'rest' })
  t.match(parse(`${head}0\r\n\r\nrest`), { body: '', rest: 'rest' })
})

t.test('a body without a length ends with the connection', async (t) => {
  t.equal(parse('HTTP/1.1 200 OK\r\n\r\nabc').body, undefined)
  t.equal(parse('HTTP/1.1 200 OK\r\n\r\nabc', 'GET', true).body, 'abc')
})

t.test('no body follows HEAD, 204 and 304', async (t) => {
  t.match(parse('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'HEAD'), { body: '', rest: 'abc' })
  for (const status of [204, 304]) {
    t.match(parse(`HTTP/1.1 ${status} A\r\nContent-Length: 3\r\n\r\nabc`), { body: '', rest: 'abc' })
  }
})

t.test('a malformed response throws', async (t) => {
  const malformed = [
    'abcde',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA b\r\n\r\n',
    'HTTP/1.1 200 OK\r\n: b\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
  ]
  for (const text of malformed) t.throws(() => parse(text), text)
})
