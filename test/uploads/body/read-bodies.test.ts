import { randomBytes } from 'node:crypto'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { build } from '../../helper.ts'

const bytes = randomBytes(1024 * 1024)

t.test('a body from which the app has read is refused, and none of it is stored', async (t) => {
  const app = await build(t, {}, {}, (app) => {
    app.addHook('preParsing', async ({ method, raw }, _reply, payload) => {
      if (method === 'PATCH') await new Promise((resolve) => raw.once('data', resolve))
      return payload
    })
  })
  const location = await app.create(bytes.length)
  const { response } = await app.stall(location, 0, bytes.length, bytes)
  t.match(await response, { status: 500, body: /FST_TUS_BODY_READ/ })
  t.equal((await app.stored(location)).length, 0)
  t.equal((await app.head(location)).headers['upload-offset'], '0')
})

t.test('a body that the app has paused is stored', async (t) => {
  const app = await build(t, {}, {}, (app) => {
    app.addHook('onRequest', async ({ raw }) => { raw.pause() })
    app.addHook('preParsing', async ({ headers }, _reply, payload) => (
      headers['x-through'] === undefined ? payload : payload.pipe(new PassThrough()).pause()
    ))
  })
  for (const headers of [{}, { 'x-through': 'yes' }]) {
    const location = await app.create(bytes.length)
    const { response } = await app.stall(location, 0, bytes.length, bytes, headers)
    t.equal((await response).status, 204)
    t.ok((await app.stored(location)).equals(bytes))
  }
})
