import { PassThrough } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import { start } from '../../src/server.ts'
import { terminalLog } from '../../src/terminal-log.ts'
import { buffered } from '../helper.ts'

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
  const lines = buffered(out).trimEnd().split('\n')
  for (const line of lines) t.match(line, /^\[\d\d:\d\d:\d\d\] INFO: /)
  const texts = lines.map((line) => line.replace(/^.*? INFO: /, '').replace(/in \d+ ms$/, 'in N ms'))
  t.match(texts[0], /^uploads in directory .*, locks in this process$/)
  t.match(texts[1], /^Server listening at http:/)
  t.same(texts.slice(2), [
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
  app.log.info({ worker: 2, res: { statusCode: 503 } }, 'closing')
  t.equal((await app.inject('/')).statusCode, 500)
  await app.close()
  t.match(buffered(out), /INFO: \[2\] closing\n\[.*\] ERROR: GET \/ 500 disk\n +err: \{[^]*terminal-log\.test\.ts[^]*INFO: GET \/ 500 in/)
})

t.test('the terminal gets no control character and no direction mark of a client', async (t) => {
  const out = new PassThrough()
  const { log } = Fastify({ logger: { level: 'info', ...terminalLog(out, false) } })
  const res = { request: { method: 'GET', url: '/\x9b2J\x85' }, statusCode: 404 }
  log.info({ res, responseTime: 1 }, 'request completed')
  log.info({ res, err: new Error('unused') }, 'Method \x9d0;owned\x9c')
  log.info({ upload: { id: 'a\u202eb' } }, 'upload finished')
  const fields = { text: '\u001b]52;c;x\u0007', nested: [{ text: '\u2066c\x7fd' }], err: new Error('\x9b2J') }
  log.warn(fields, 'tab\tand \u001b[31m')
  const text = buffered(out)
  t.notMatch(text, /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
  for (const line of [
    'GET /\\u009b2J\\u0085 404 in 1 ms\n',
    'Method \\u009d0;owned\\u009c\n',
    'upload finished a\\u202eb,',
    'tab\tand \\u001b[31m\n'
  ]) t.ok(text.includes(line), line)
})

t.test('the log itself has colors', async (t) => {
  const out = new PassThrough()
  Fastify({ logger: { level: 'info', ...terminalLog(out, true) } }).log.info('ready')
  t.match(buffered(out), '\u001b[32mINFO')
})
