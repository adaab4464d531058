/** Every requirement of both protocols, of one process and of three in turn, over a bucket and locks in Redis. */
import t from 'tap'
import { ask } from '../../conformance/ask.ts'
import { renderResult } from '../../conformance/report.ts'
import { requirementsOver } from '../../conformance/requirements.ts'
import { Suite, uploadProtocols } from '../../conformance/suite.ts'
import { suites } from '../../conformance/suites.ts'
import { Tally } from '../../conformance/tally.ts'
import type { Transport } from '../../conformance/transport.ts'
import { Http1Transport } from '../../conformance/wire.ts'
import { skipWithout } from '../engines/skip.ts'
import { startRedis } from '../engines/redis.ts'
import { skip as skipS3, startRig } from '../stores/s3/rig.ts'
import { serve } from './s3-process.ts'

const skip = skipS3 || skipWithout('redis')

for (const processes of [1, 3]) {
  for (const protocol of uploadProtocols) {
    t.test(`${processes} processes over a bucket conform to ${protocol}`, { skip, timeout: 0 }, async (t) => {
      const { port: redis } = await startRedis(t)
      const { configurations, requirements } = suites[protocol]
      const tally = new Tally()
      for (const { name, options: plugin, known, ids } of configurations) {
        await t.test(name, async (t) => {
          const rig = await startRig(t)
          const servers = await Promise.all(Array.from({ length: processes },
            () => serve(t, rig, { proxied: false, redis, ttl: 15_000, plugin })))
          const urls = servers.map(({ url }) => new URL(`${url}/files`))
          const suite = await Suite.open(urls[0] as URL, inTurn(urls), { ...known, strict: true })
          const asked = requirementsOver('http/1.1', requirements).filter(({ id }) => ids?.includes(id) ?? true)
          const results = await Promise.all(ask(suite, asked, 4))
          for (const [i, result] of results.entries()) {
            tally.add(asked[i] as typeof asked[0], result)
            if (result.status === 'fail') t.fail(renderResult(result, true))
          }
        })
      }
      t.same(tally.verdicts.filter(({ status }) => status === 'skip').map(({ results }) => results[0]?.id), [])
      t.comment(JSON.stringify(tally.totals))
    })
  }
}

/** Each connection goes to the next server. */
function inTurn (urls: URL[]): Transport {
  const transports = urls.map((url) => new Http1Transport(url))
  let turn = 0
  return { protocol: 'http/1.1', connect: () => (transports[turn++ % urls.length] as Transport).connect() }
}
