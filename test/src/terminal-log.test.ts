import { PassThrough } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { start } from '../../src/server.ts'
import { terminalLog } from '../../src/terminal-log.ts'

const tus = { 'tus-resumable': '1.0.0' }

t.test('a terminal gets one short line for each request', async (t) => {
  const out = new PassThrough()
  const config = readConfig({ PORT: '0', FILES_DIR: t.testdir() })
  const { endpoint, close } = await start(config, terminalLog(out, false))
  const headers = { ...tus, 'upload-length': '5', 'content-type': 'application/offset+octet-stream' }
  const created = await fetch(endpoint, { method: 'POST', headers, body: 'hello' })
  t.equal(created.status, 201)
  const deferred = await fetch(endpoint, { method: 'POST', headers: { ...tus, 'upload-defer-length': '1' } })
  t.equal(deferred.status, 201)
  await fetch(`${endpoint}/nothing`, { method: 'HEAD', headers: tus })
  await close()

  const id = (response: Response) => String(response.headers.get('location')).split('/').at(-1)
  const lines = String(out.read()).trimEnd().split('\n')
  for (const line of lines) t.match(line, /^\[\d\d:\d\d:\d\d\] INFO: /)
  const texts = lines.map((line) => line.replace(/^.*? INFO: /, '').replace(/in \d+ ms$/, 'in N ms'))
  t.match(texts[0], /^Server listening at http:/)
  t.same(texts.slice(1), [
    'ready for uploads',
    `creating upload ${id(created)}, 5 bytes`,
    `upload finished ${id(created)}, 5 bytes`,
    'POST /files 201 in N ms',
    `creating upload ${id(deferred)}, length unknown`,
    'POST /files 201 in N ms',
    'HEAD /files/nothing 404 Upload not found',
    'HEAD /files/nothing 404 in N ms'
  ])
})

t.test('an error of the server is printed with its stack', async (t) => {
  const out = new PassThrough()
  const app = Fastify({ logger: { level: 'info', ...terminalLog(out, false) } })
  app.get('/', async () => { throw new Error('disk') })
  app.log.info({ res: { statusCode: 503 } }, 'closing')
  t.equal((await app.inject('/')).statusCode, 500)
  await app.close()
  t.match(String(out.read()), /INFO: closing\n\[.*\] ERROR: GET \/ 500 disk\n +err: \{[^]*terminal-log\.test\.ts[^]*INFO: GET \/ 500 in/)
})
