import { readdir } from 'node:fs/promises'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { runSnippet } from '../docs/snippets.ts'

const tus = { 'tus-resumable': '1.0.0' }

t.test('EDGE-73 @fastify/rate-limit, set up as in the guide, limits creations and nothing else', async (t) => {
  const { app, directory } = await runSnippet(t, 'docs/guides/limits.md', 'limits.js')
  const ask = (method: string, url: string, headers = {}): Promise<LightMyRequestResponse> =>
    app.inject({ method: method as NonNullable<InjectOptions['method']>, url, headers: { ...tus, ...headers } })
  const first = await ask('POST', '/files', { 'upload-length': '3' })
  const url = first.headers.location as string
  t.equal(first.statusCode, 201)
  const ways = [
    () => ask('POST', '/files', { 'upload-length': '0' }),
    () => ask('POST', '/files/', { 'upload-length': '0' }),
    () => ask('GET', '/files', { 'x-http-method-override': 'POST', 'upload-length': '0' })
  ]
  for (let i = 1; i < 30; i++) t.equal((await (ways[i % 3] as () => Promise<LightMyRequestResponse>)()).statusCode, 201)
  for (const way of ways) {
    const refused = await way()
    t.equal(refused.statusCode, 429)
    t.equal(refused.headers['tus-resumable'], '1.0.0')
    t.ok(Number(refused.headers['retry-after']) > 0)
    t.match(refused.json(), { message: /Rate limit exceeded/ })
  }
  t.equal((await readdir(directory)).length, 60)
  for (let i = 0; i < 100; i++) t.equal((await ask('HEAD', url)).statusCode, 200)
  for (let i = 0; i < 50; i++) t.equal((await ask('OPTIONS', '/files')).statusCode, 204)
  t.equal((await ask('DELETE', url)).statusCode, 204)
})
