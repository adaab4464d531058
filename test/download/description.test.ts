import t from 'tap'
import { build } from '../helper.ts'
import { base64, finished } from './files.ts'

/** Decodes `filename*` as a browser does (RFC 8187, 3.2). */
function nameIn (disposition: unknown): string | undefined {
  const [, encoded] = /filename\*=UTF-8''([^;]*)/.exec(String(disposition)) ?? []
  if (encoded !== undefined) return decodeURIComponent(encoded)
  const [, quoted, token] = /filename=(?:"((?:[^"\\]|\\.)*)"|([^;]*))/.exec(String(disposition)) ?? []
  return quoted?.replace(/\\(.)/g, '$1') ?? token
}

t.test('CREATE-08: a download has the name of the file, whatever it contains', async (t) => {
  const built = await build(t)
  for (const [filename, name] of [
    ['clip.mp4', 'clip.mp4'],
    ['a b; c=d, e.txt', 'a b; c=d, e.txt'],
    ['视频 第1集.mp4', '视频 第1集.mp4'],
    ['über.txt', 'über.txt'],
    ['👩‍👩‍👧.jpg', '👩‍👩‍👧.jpg'],
    ['100%41.txt', '100%41.txt'],
    ['say "hi" \\o/.txt', '.txt'],
    ['say "hi".txt', 'say "hi".txt'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\me\\film.mkv', 'film.mkv'],
    ['folder/', 'folder'],
    ['a\r\nSet-Cookie: x=1\r\n\r\n<script>', 'a__Set-Cookie: x=1____<script>'],
    ['null\0byte', 'null_byte'],
    ['photo\u202egpj.exe', 'photo_gpj.exe'],
    ['/', undefined],
    ['', undefined],
    ['.', undefined],
    ['..', undefined],
    ['folder/..', undefined],
    ['..\\', undefined],
    ['...', '...'],
    ['\u200f\u061c\ufeff\u200e\u2060.txt', '_____.txt'],
    ['\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt']
  ] as const) {
    const url = await finished(built, 'abc', { filename, filetype: 'application/pdf' })
    const { statusCode, headers, rawPayload } = await built.app.inject(url)
    t.equal(statusCode, 200, filename)
    t.equal(rawPayload.toString(), 'abc')
    t.match(headers['content-disposition'], /^attachment(; |$)/)
    t.equal(nameIn(headers['content-disposition']), name, JSON.stringify(filename))
    t.notOk('set-cookie' in headers)
  }
})

t.test('a name that is not ASCII is encoded in filename*, and has an ASCII fallback in filename', async (t) => {
  const built = await build(t)
  for (const [filename, fallback, encoded] of [
    ['résumé.zip', 'r_sum_.zip', 'r%C3%A9sum%C3%A9.zip'],
    ['Müller & Søn.mp4', 'M_ller & S_n.mp4', 'M%C3%BCller%20%26%20S%C3%B8n.mp4'],
    ['日本語.zip', '___.zip', '%E6%97%A5%E6%9C%AC%E8%AA%9E.zip'],
    ['\u00a0½ price.txt', '__ price.txt', '%C2%A0%C2%BD%20price.txt']
  ] as const) {
    const { headers } = await built.app.inject(await finished(built, 'abc', { filename }))
    t.equal(headers['content-disposition'], `attachment; filename="${fallback}"; filename*=UTF-8''${encoded}`)
  }
  const { headers } = await built.app.inject(await finished(built, 'abc', { filename: 'plain.zip' }))
  t.equal(headers['content-disposition'], 'attachment; filename="plain.zip"')
})

t.test('CREATE-08: a name is no longer than a file system allows, and keeps its extension', async (t) => {
  const built = await build(t)
  for (const filename of ['x'.repeat(3000) + '.tar.gz', '长'.repeat(1500) + '.mp4', '😀'.repeat(1000) + '.mp4']) {
    const url = await finished(built, 'abc', { filename })
    const { headers } = await built.app.inject(url)
    const name = nameIn(headers['content-disposition']) as string
    t.ok(Buffer.byteLength(name) <= 255 && Buffer.byteLength(name) > 245, `${Buffer.byteLength(name)} bytes`)
    t.equal(name.slice(name.lastIndexOf('.')), filename.slice(filename.lastIndexOf('.')))
    t.ok(filename.startsWith(name.slice(0, name.lastIndexOf('.'))), 'no character is cut in half')
  }
  const url = await finished(built, 'abc', { filename: '.'.repeat(3000) })
  t.equal(nameIn((await built.app.inject(url)).headers['content-disposition'])?.length, 255)
})

t.test('a name from a hook may be malformed Unicode', async (t) => {
  const built = await build(t, { onUploadCreate: () => ({ metadata: { name: 'half \ud83d.txt' } }) })
  const { statusCode, headers } = await built.app.inject(await finished(built, 'abc'))
  t.equal(statusCode, 200)
  t.equal(nameIn(headers['content-disposition']), 'half _.txt')
})

t.test('EDGE-82: other types are sent as attachments without a type, and every response is sandboxed', async (t) => {
  const built = await build(t)
  for (const [type, disposition, served] of [
    ['video/mp4', 'inline', 'video/mp4'],
    ['Video/MP4; codecs="avc1"', 'inline', 'video/mp4'],
    [' image/PNG ', 'inline', 'image/png'],
    ['text/plain;charset=utf-8', 'inline', 'text/plain'],
    ['text/html', 'attachment', 'application/octet-stream'],
    ['text/html, video/mp4', 'attachment', 'application/octet-stream'],
    ['image/svg+xml', 'attachment', 'application/octet-stream'],
    ['text/javascript', 'attachment', 'application/octet-stream'],
    ['application/JavaScript; charset=utf-8', 'attachment', 'application/octet-stream'],
    ['application/x-javascript', 'attachment', 'application/octet-stream'],
    ['application/wasm', 'attachment', 'application/octet-stream'],
    ['text/css', 'attachment', 'application/octet-stream'],
    ['application/json', 'attachment', 'application/octet-stream'],
    ['video/mp4\r\nx: y', 'attachment', 'application/octet-stream'],
    ['video/*', 'attachment', 'application/octet-stream'],
    ['', 'attachment', 'application/octet-stream']
  ] as const) {
    const { headers } = await built.app.inject(await finished(built, 'abc', { filetype: type }))
    t.match(headers, {
      'content-disposition': disposition,
      'content-type': served,
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox'
    }, type)
    t.notOk('cross-origin-resource-policy' in headers)
  }
})

t.test('the app decides which types are shown, and to whom', async (t) => {
  const built = await build(t, {
    download: { inline: ['Application/PDF', 'model/*'], crossOriginResourcePolicy: 'same-site' }
  })
  for (const [type, disposition] of [
    ['application/pdf', 'inline'], ['model/gltf+json', 'inline'], ['video/mp4', 'attachment']
  ] as const) {
    const { headers } = await built.app.inject(await finished(built, 'abc', { type }))
    t.match(headers, { 'content-disposition': disposition, 'cross-origin-resource-policy': 'same-site' }, type)
  }
})

t.test('a script or a style sheet is saved, although the app shows all types of its kind', async (t) => {
  const built = await build(t, { download: { inline: ['text/*', 'application/*'] } })
  for (const type of [
    'text/javascript', 'text/ecmascript', 'text/css', 'application/javascript', 'application/wasm', 'text/xsl'
  ]) {
    const { headers } = await built.app.inject(await finished(built, 'abc', { filetype: type }))
    t.match(headers, { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' }, type)
  }
  const { headers } = await built.app.inject(await finished(built, 'abc', { filetype: 'text/csv' }))
  t.match(headers, { 'content-type': 'text/csv', 'content-disposition': 'inline' })
})

t.test('the metadata keys are configurable, and the values may be empty', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abc', { name: 'a.txt', contentType: 'text/plain' })
  t.match((await built.app.inject(url)).headers, { 'content-type': 'text/plain', 'content-disposition': /a\.txt/ })
  const without = await built.post({ 'upload-length': '0', 'upload-metadata': `filename,filetype ${base64('')}` })
  t.match((await built.app.inject(String(without.headers.location))).headers, {
    'content-type': 'application/octet-stream', 'content-disposition': 'attachment'
  })
})
