import http from 'node:http'
import net from 'node:net'
import type { AddressInfo } from 'node:net'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import fastifyTus from '../../plugin/index.ts'
import { main } from '../../conformance/cli.ts'
import { visible } from '../../conformance/visible.ts'
import { requirements } from '../../conformance/requirements.ts'
import { Tally } from '../../conformance/tally.ts'
import type { Requirement, Result } from '../../conformance/suite.ts'

async function listen (t: Test, listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`
}

async function run (...args: string[]): Promise<{ status: number, text: string, errors: string }> {
  let text = ''
  let errors = ''
  const status = await main(args, {
    stdout: { write: (part: string) => { text += part } },
    stderr: { write: (part: string) => { errors += part } }
  })
  return { status, text, errors }
}

t.test('against another server', async (t) => {
  const tus = new Server({ path: '/files', datastore: new FileStore({ directory: t.testdir({}) }) })
  const url = await listen(t, (request, response) => { tus.handle(request, response).catch(t.error) })

  t.test('a met requirement passes', async (t) => {
    const { status, text } = await run('--only', 'core-04,CREATE-01', url)
    t.equal(status, 0)
    t.match(text, /^pass {2}CORE-04 {4}OPTIONS lists the supported versions$/m)
    t.match(text, /\n3 passed, 0 failed, 0 skipped\n$/)
  })

  t.test('a violated requirement fails, with the request, the expectation and the response', async (t) => {
    const { status, text } = await run('--only', 'PATCH-01', url)
    t.equal(status, 1)
    t.match(text, /^fail {2}PATCH-01 {3}PATCH with another media type is refused/m)
    t.match(text, /^ +before {4}POST \/files → 201$/m)
    t.match(text, /^ +sent {6}PATCH \/files\/[0-9a-f]{32} HTTP\/1.1\n +Host: .*\n(.*\n)+ +\[abcdef\]$/m)
    t.match(text, /^ +expected {2}415$/m)
    t.match(text, /^ +received {2}400/m)
    t.match(text, /\n0 passed, 3 failed, 0 skipped\n$/)
  })

  t.test('a missing feature is skipped, with the reason', async (t) => {
    const { status, text } = await run('--only', 'CORE-08,CKSUM-01,EXP-09', url)
    t.equal(status, 0)
    t.match(text, /^skip .*# no Tus-Max-Size$/m)
    t.match(text, /^skip .*# the server does not advertise checksum$/m)
    t.match(text, /^skip .*# left to the server$/m)
    t.match(text, /\n0 passed, 0 failed, 3 skipped\n$/)
  })

  t.test('--json prints the results', async (t) => {
    const { status, text } = await run('--json', '--only', 'CORE-10,CORE-11', url)
    t.equal(status, 1)
    const results = JSON.parse(text) as Result[]
    t.match(results[0], { id: 'CORE-10', status: 'fail', expected: /^405/, came: /^404/, reason: '' })
    t.strictSame(results.map(({ id }) => id).slice(-1), ['CORE-11'])
  })

  t.test('--verbose, --strict and --header', async (t) => {
    const { text } = await run('--verbose', '--strict', '--header', 'X-Token: a:b', '--only', 'CORE-05', url)
    t.match(text, /^ +X-Token: a:b$/m)
  })
})

t.test('requirements that only apply to HTTP/1.1 are left out over HTTP/2', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(fastifyTus, { prefix: '/files', directory: t.testdir({}) })
  const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/files`
  const { status, text } = await run('--http2', '--only', 'EDGE-68,EDGE-69', url)
  t.equal(status, 0)
  t.match(text, /^pass {2}EDGE-68/m)
  t.match(text, /\n2 left out: not applicable to HTTP\/2\n1 passed, 0 failed, 0 skipped\n$/)
})

t.test('without a URL', async (t) => {
  t.test('each wire and each configuration has its own line', async (t) => {
    const { status, text } = await run('--only', 'CORE-08,EDGE-68,EDGE-69')
    t.equal(status, 0)
    for (const wire of ['HTTP/1.1', 'HTTP/1.1 over TLS', 'HTTP/2', 'HTTP/2 over TLS']) {
      t.match(text, `${wire}\n  all extensions`)
    }
    t.match(text, /^ {2}all extensions, with a maximum size: 3 passed, 0 failed, 0 skipped$/m)
    t.match(text, /^ {2}combined: 2 passed, 0 failed, 0 skipped\n {2}2 left out: not applicable to HTTP\/2$/m)
    t.match(text, /\n\nAll: 4 passed, 0 failed, 0 skipped\n$/)
  })

  t.test('--json prints the origin of each result', async (t) => {
    const { status, text } = await run('--json', '--only', 'EXP-07')
    t.equal(status, 0)
    const results = JSON.parse(text) as Array<Result & { over: string, configuration: string }>
    const overHttp2 = results.filter(({ over }) => over === 'HTTP/2')
    t.strictSame(overHttp2.map(({ configuration, status }) => [configuration, status]), [
      ['all extensions, with a maximum size', 'skip'],
      ['short expiration, frequent sweeps', 'pass']
    ])
  })
})

t.test('--protocol resumable-upload', async (t) => {
  t.test('checks a server', async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(fastifyTus, { prefix: '/files', directory: t.testdir({}), resumableUpload: true })
    const url = `${await app.listen({ port: 0, host: '127.0.0.1' })}/files`
    const only = ['--only', 'RUFH-08,RUFH-31,RUFH-46,RUFH-55']
    const { status, text } = await run('--protocol', 'resumable-upload', ...only, url)
    t.equal(status, 0)
    t.match(text, /^pass {2}RUFH-55/m)
    t.match(text, /^skip .*# no max-size in Upload-Limit$/m)
    t.match(text, /^skip .*# no progress is reported$/m)
    t.match(text, /\n1 passed, 0 failed, 4 skipped\n$/)
  })

  t.test('starts our own servers', async (t) => {
    const { status, text } = await run('--protocol', 'resumable-upload', '--only', 'RUFH-07')
    t.equal(status, 0)
    t.match(text, /^ {2}without limits: 1 passed, 0 failed, 0 skipped$/m)
  })

  t.test('finds the faults of a server without the protocol', async (t) => {
    const url = await listen(t, (_request, response) => {
      response.writeHead(201, { location: '/files/a', 'upload-limit': '=', 'content-type': 'application/problem+json' })
      response.end('{')
    })
    const { status, text } = await run('--protocol', 'resumable-upload', '--only', 'RUFH-28,RUFH-54', url)
    t.equal(status, 1)
    t.match(text, /^skip {2}RUFH-28.*# the upload is not announced by a 104$/m)
    t.match(text, /^fail {2}RUFH-54/m)
  })

  t.test('a server that does not respond is an error', async (t) => {
    const url = await listen(t, () => {})
    const { status, errors } = await run('--protocol', 'resumable-upload', '--timeout', '100', url)
    t.equal(status, 2)
    t.match(errors, 'no response within 100 ms')
  })
})

t.test('--help prints the usage', async (t) => {
  const { status, text, errors } = await run('-h')
  t.equal(status, 0)
  t.match(text, 'Usage: fastify-tus conformance [options] [URL]')
  t.ok(text.split('\n').every(line => line.length <= 110))
  t.equal(errors, '')
})

t.test('a server without tus is an error', async (t) => {
  const url = await listen(t, (_request, response) => { response.writeHead(200).end() })
  const { status, errors } = await run(url)
  t.equal(status, 2)
  t.match(errors, /^fastify-tus conformance: no tus server at/)
})

t.test('a server that does not respond is an error', async (t) => {
  const url = await listen(t, () => {})
  const { status, errors } = await run('--timeout', '100', url)
  t.equal(status, 2)
  t.match(errors, 'no response within 100 ms')
})

t.test('invalid arguments are errors', async (t) => {
  const wrong = [
    ['no url'], ['ftp://127.0.0.1'], ['http://a', 'http://b'], ['--unknown', 'http://a'],
    ['--timeout', 'soon', 'http://a'], ['--header', 'nothing', 'http://a'], ['--only', 'NONE-01', 'http://a'],
    ['--protocol', 'webdav', 'http://a'], ['--protocol', 'resumable-upload', '--only', 'CORE-01', 'http://a'],
    ['--strict'], ['--http2'], ['--header', 'a: b'], ['--idle-timeout', '100']
  ]
  for (const args of wrong) {
    const { status, text, errors } = await run(...args)
    t.equal(status, 2, args.join(' '))
    t.equal(text, '')
    t.match(errors, 'Usage: fastify-tus conformance')
  }
})

t.test('a failure outweighs a pass, and a pass outweighs a skip', async (t) => {
  const [requirement] = requirements as [Requirement]
  const result = { id: '', title: '', sent: '', expected: '', came: '', before: [], reason: '' }
  const tally = new Tally()
  t.equal(tally.verdict(requirement), undefined)
  for (const status of ['skip', 'pass', 'fail', 'pass'] as const) {
    tally.add(requirement, { ...result, status })
    t.strictSame(tally.verdict(requirement), { status, results: [{ ...result, status }] })
    if (status === 'fail') break
  }
  tally.add(requirement, { ...result, status: 'pass' })
  t.strictSame(tally.totals, { passed: 0, failed: 1, skipped: 0 })
})

t.test('control characters from a server are escaped on the terminal', async (t) => {
  const hostile = [
    'HTTP/1.1 299 \x1b[2J\x1b]0;owned\x07', 'Tus-Version: \x1b]52;c;ZXZpbA==\x07\x9b31m\x7f', 'Content-Length: 3', ''
  ]
  const server = net.createServer((socket) => {
    socket.on('error', () => {}).once('data', () => socket.end(Buffer.from(`${hostile.join('\r\n')}\r\na\rb`, 'latin1')))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`

  for (const format of [[], ['--json']]) {
    const { text, errors } = await run(...format, '--only', 'CORE-04,CORE-10', url)
    t.match(text, '\\u001b[2J', format.join())
    t.notMatch(text + errors, /(?!\n)\p{Cc}/u, format.join())
  }
  const { text } = await run('--json', '--only', 'CORE-04', url)
  t.match(JSON.parse(text)[0].came, '\x1b[2J\x1b]0;owned\x07')
})

t.test('characters that hide text are escaped, also beyond the first plane', async (t) => {
  t.equal(visible('a\u202eb\u2028c\u{e0001}\td\n'), 'a\\u202eb\\u2028c\\udb40\\udc01\td\n')
})
