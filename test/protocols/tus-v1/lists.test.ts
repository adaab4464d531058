import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { build, OFFSET_OCTET_STREAM } from '../../helper.ts'
import { rawRequest } from '../../raw-request.ts'

const expected = { filename: 'a.bin', is_secret: null, key: 'value' }

t.test('RFC 9110, 5.6.1: white space may surround the commas of Upload-Metadata', async (t) => {
  const { directory, create, head } = await build(t)
  for (const metadata of [
    'filename YS5iaW4=,is_secret,key dmFsdWU=',
    'filename YS5iaW4=, is_secret, key dmFsdWU=',
    'filename YS5iaW4= ,\tis_secret\t, \t key dmFsdWU='
  ]) {
    const location = await create(1, { 'upload-metadata': metadata })
    const record = JSON.parse(await readFile(path.join(directory, `${path.basename(location)}.json`), 'utf8'))
    t.same(record.metadata, expected, metadata)
    t.equal((await head(location)).headers['upload-metadata'], metadata, 'it is echoed as sent')
  }
})

t.test('RFC 9110, 5.3: several lines of Upload-Metadata are one list', async (t) => {
  const { directory, listen } = await build(t)
  const { response } = await rawRequest(t, await listen(), 'POST', '/files', {
    'tus-resumable': '1.0.0',
    'upload-length': '1',
    'Upload-Metadata': 'filename YS5iaW4=',
    'upload-metadata': 'is_secret,key dmFsdWU='
  })
  const { status, headers } = await response
  t.equal(status, 201)
  const id = path.basename(String(headers['location']))
  t.same(JSON.parse(await readFile(path.join(directory, `${id}.json`), 'utf8')).metadata, expected)
})

t.test('CREATE-07 elsewhere in Upload-Metadata white space and empty pairs are refused', async (t) => {
  const { post } = await build(t)
  for (const metadata of [
    'a  YQ==', 'a\tYQ==', 'a YQ== YQ==', 'a Y Q==', 'a YQ==, ,b YQ==', 'a YQ==,', ',', 'a YQ==,\xa0b YQ=='
  ]) {
    const answer = await post({ 'upload-length': '1', 'upload-metadata': metadata })
    t.match(answer, { statusCode: 400, body: /FST_TUS_INVALID_HEADER/ }, metadata)
  }
  const twice = await post({ 'upload-length': '1', 'upload-metadata': 'a YQ==, a Yg==' })
  t.match(twice, { statusCode: 400, body: /has a duplicate key/ })
})

t.test('RFC 9110, 6.6.2: white space may surround the commas of Trailer', async (t) => {
  const { create, listen } = await build(t)
  const sum = `sha1 ${createHash('sha1').update('other').digest('base64')}`
  for (const trailer of [
    'upload-checksum', 'X-Other,Upload-Checksum', 'X-Other \t,\t Upload-Checksum , X-More', ',upload-checksum,'
  ]) {
    const { response } = await rawRequest(t, await listen(), 'PATCH', await create(3), {
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': OFFSET_OCTET_STREAM,
      'upload-checksum': sum,
      'content-length': '3',
      trailer
    }, 'abc')
    t.match(await response, { status: 400, body: /FST_TUS_CHECKSUM_TWICE/ }, trailer)
  }
})

t.test('RFC 9110, 8.4: Content-Encoding is a list of case-insensitive names, and identity is ignored', async (t) => {
  const { create, patch } = await build(t)
  for (const [coding, status] of [
    ['identity', 204], ['Identity', 204], ['identity , IDENTITY', 204], ['', 204],
    ['gzip', 415], ['identity, gzip', 415]
  ] as const) {
    const answer = await patch(await create(3), 0, 'abc', { 'content-encoding': coding })
    t.equal(answer.statusCode, status, coding)
  }
})
