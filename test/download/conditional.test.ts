import { utimes } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { build } from '../helper.ts'
import { finished } from './files.ts'

t.test('an unchanged upload is not sent again, and a changed one is', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const { headers } = await built.app.inject(url)
  const etag = String(headers.etag)
  const modified = String(headers['last-modified'])
  const earlier = new Date(Date.parse(modified) - 60_000).toUTCString()
  t.match(etag, /^"[^"]+"$/, 'the tag is strong')
  for (const [condition, status] of [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': `"x", W/${etag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-none-match': 'no tag' }, 200],
    [{ 'if-none-match': '"x"', 'if-modified-since': modified }, 200],
    [{ 'if-modified-since': modified }, 304],
    [{ 'if-modified-since': earlier }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `W/${etag}` }, 412],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-unmodified-since': modified }, 200],
    [{ 'if-unmodified-since': earlier }, 412],
    [{ 'if-match': etag, 'if-unmodified-since': earlier }, 200]
  ] as const) {
    const response = await built.app.inject({ url, headers: condition })
    t.equal(response.statusCode, status, JSON.stringify(condition))
    if (status === 304) {
      t.equal(response.body, '')
      t.equal(response.headers.etag, etag)
      t.equal(response.headers['cache-control'], 'no-cache, no-transform')
    }
    if (status === 412) t.match(response.json(), { code: 'FST_TUS_PRECONDITION' })
  }
})

t.test('If-Range: the range if the file is unchanged, the complete file otherwise', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const { headers } = await built.app.inject(url)
  for (const [ifRange, status] of [
    [String(headers.etag), 206], [String(headers['last-modified']), 206],
    ['"x"', 200], [`W/${headers.etag}`, 200], ['Sun, 06 Nov 1994 08:49:37 GMT', 200], ['yesterday', 200]
  ] as const) {
    const response = await built.app.inject({ url, headers: { range: 'bytes=2-3', 'if-range': ifRange } })
    t.equal(response.statusCode, status, ifRange)
    t.equal(response.body, status === 206 ? 'cd' : 'abcdef', ifRange)
  }
})

t.test('different bytes have a different tag', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abcdef')
  const before = (await built.app.inject(url)).headers.etag
  await utimes(path.join(built.directory, path.basename(url)), 1, 1)
  t.not((await built.app.inject(url)).headers.etag, before)
})
