import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import t from 'tap'
import type { Test } from 'tap'
import { main } from './cli.ts'
import type { Result } from './suite.ts'

async function listen (t: Test, listener: http.RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`
}

async function run (...argv: string[]): Promise<{ status: number, text: string }> {
  let text = ''
  const status = await main(argv, { write: (part: string) => { text += part } })
  return { status, text }
}

t.test('against another server', async (t) => {
  const tus = new Server({ path: '/files', datastore: new FileStore({ directory: t.testdir({}) }) })
  const url = await listen(t, (request, response) => { tus.handle(request, response).catch(t.error) })

  t.test('what it does right passes', async (t) => {
    const { status, text } = await run('--only', 'core-04,CREATE-01', url)
    t.equal(status, 0)
    t.match(text, /^pass {2}CORE-04 {4}OPTIONS lists the supported versions$/m)
    t.match(text, /\n3 passed, 0 failed, 0 skipped\n$/)
  })

  t.test('what it does wrong fails, with what was sent, expected and came', async (t) => {
    const { status, text } = await run('--only', 'PATCH-01', url)
    t.equal(status, 1)
    t.match(text, /^fail {2}PATCH-01 {3}a body of another media type is refused/m)
    t.match(text, /^ +before {4}POST \/files → 201$/m)
    t.match(text, /^ +sent {6}PATCH \/files\/[0-9a-f]{32} HTTP\/1.1\n +Host: .*\n(.*\n)+ +\[abcdef\]$/m)
    t.match(text, /^ +expected {2}415$/m)
    t.match(text, /^ +came {6}400/m)
    t.match(text, /\n0 passed, 3 failed, 0 skipped\n$/)
  })

  t.test('what it does not offer is skipped, with the reason', async (t) => {
    const { status, text } = await run('--only', 'CORE-08,CKSUM-01,EXP-09', url)
    t.equal(status, 0)
    t.match(text, /^skip .*# no Tus-Max-Size$/m)
    t.match(text, /^skip .*# the server does not advertise checksum$/m)
    t.match(text, /^skip .*# left to the server$/m)
    t.match(text, /\n0 passed, 0 failed, 3 skipped\n$/)
  })

  t.test('as JSON', async (t) => {
    const { status, text } = await run('--json', '--only', 'CORE-10,CORE-11', url)
    t.equal(status, 1)
    const results = JSON.parse(text) as Result[]
    t.match(results[0], { id: 'CORE-10', status: 'fail', expected: /^405/, came: /^404/, reason: '' })
    t.strictSame(results.map(({ id }) => id).slice(-1), ['CORE-11'])
  })

  t.test('with more words, headers of one\'s own, and strictly', async (t) => {
    const { text } = await run('--verbose', '--strict', '--header', 'X-Token: a:b', '--only', 'CORE-05', url)
    t.match(text, /^ +X-Token: a:b$/m)
  })
})

t.test('against what is no tus server', async (t) => {
  const url = await listen(t, (_request, response) => { response.writeHead(200).end() })
  const { status, text } = await run(url)
  t.equal(status, 2)
  t.match(text, /^no tus server at/)
})

t.test('against nothing', async (t) => {
  const url = await listen(t, () => {})
  const { status, text } = await run('--timeout', '100', url)
  t.equal(status, 2)
  t.match(text, 'no answer within 100 ms')
})

t.test('without a proper URL, or with an unknown option', async (t) => {
  const wrong = [
    [], ['no url'], ['ftp://127.0.0.1'], ['http://a', 'http://b'], ['--unknown', 'http://a'],
    ['--timeout', 'soon', 'http://a'], ['--header', 'nothing', 'http://a'], ['--only', 'NONE-01', 'http://a']
  ]
  for (const argv of wrong) {
    const { status, text } = await run(...argv)
    t.equal(status, 2, argv.join(' '))
    t.match(text, 'Usage: conformance')
  }
})
