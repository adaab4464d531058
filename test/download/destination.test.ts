import t from 'tap'
import { build } from '../helper.ts'
import { finished } from './files.ts'
import { rig } from './growing-rig.ts'

const refused = [
  'script', 'style', 'worker', 'sharedworker', 'serviceworker', 'audioworklet', 'paintworklet', 'xslt', 'manifest'
]

t.test('a download is refused for destinations that would run it, whatever its type', async (t) => {
  const built = await build(t, { download: { inline: ['text/*'] } })
  for (const filetype of ['text/javascript', 'text/plain', 'video/mp4']) {
    const url = await finished(built, 'abc', { filetype })
    const etag = String((await built.app.inject(url)).headers.etag)
    for (const destination of refused) {
      for (const more of [{}, { range: 'bytes=0-1' }, { 'if-none-match': etag }, { accept: 'text/event-stream' }]) {
        const response = await built.app.inject({ url, headers: { 'sec-fetch-dest': destination, ...more } })
        t.equal(response.statusCode, 403, `${filetype}, ${destination}`)
        t.match(response.json(), {
          code: 'FST_TUS_DESTINATION', message: `Sec-Fetch-Dest must not be ${destination} for a download`
        })
      }
    }
    const old = await built.app.inject({ url, headers: { 'service-worker': 'script' } })
    t.match(old.json(), { code: 'FST_TUS_DESTINATION', message: /serviceworker/ })
  }
})

t.test('a growing upload is refused for destinations that would run it', async (t) => {
  const { app, create } = await rig(t)
  const url = await create(6)
  for (const path of [url, `${url}?from=0`]) {
    const response = await app.inject({ url: path, headers: { 'sec-fetch-dest': 'script' } })
    t.match(response.json(), { statusCode: 403, code: 'FST_TUS_DESTINATION' })
  }
})

t.test('a download is served to destinations that show, play or save it', async (t) => {
  const built = await build(t)
  const url = await finished(built, 'abc', { filetype: 'video/mp4' })
  for (const destination of ['document', 'iframe', 'embed', 'object', 'empty', 'image', 'audio', 'video', 'track']) {
    const response = await built.app.inject({ url, headers: { 'sec-fetch-dest': destination } })
    t.equal(response.statusCode, 200, destination)
  }
})
