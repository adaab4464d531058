import t from 'tap'
import { check } from './check.ts'
import { corpus } from './corpus/requests.ts'
import { listen } from './target.ts'

t.test('EDGE-01 to EDGE-81: hostile requests found by hand', async (t) => {
  const target = await listen(t)
  for (const [number, found] of corpus.entries()) {
    const { method, headers = [], body = '', raw, version = '1.1', status, code } = found
    const framing = raw === undefined ? { kind: 'length' as const } : { kind: 'raw' as const, lines: raw, body }
    const request = { method, target: found.target, version, headers, body, framing }
    await t.test(found.title, async (t) => {
      const response = await check(target, `corpus-${number}`, request)
      t.equal(response?.status ?? 'none', status)
      if (code !== undefined) t.match(response?.body, code)
    })
  }
  await target.close()
  t.same(target.logs.filter(({ level }) => level >= 50), [], 'no server error is logged')
})
