import Fastify from 'fastify'
import t from 'tap'
import type { FastifyServerOptions } from 'fastify'
import fastifyTus from '../plugin/index.ts'
import type { FastifyTusOptions } from '../plugin/index.ts'
import { Http2Transport } from './conformance/h2.ts'
import { notOnTheWire } from './conformance/not-on-the-wire.ts'
import { requirements } from './conformance/requirements.ts'
import { Suite } from './conformance/suite.ts'
import type { Requirement, SuiteOptions } from './conformance/suite.ts'
import { Http1Transport } from './conformance/wire.ts'

const DAY = 24 * 60 * 60 * 1000

interface Server {
  name: string
  http2?: boolean
  options: FastifyTusOptions
  known?: SuiteOptions
  /** What only the options of this server let come to pass; asked at once, since it is mostly waiting. */
  ids?: string[]
}

const servers: Server[] = [
  {
    name: 'over HTTP/1.1',
    options: { maxSize: 4 * 1024 * 1024, expiration: { period: DAY } }
  },
  {
    name: 'over HTTP/2',
    http2: true,
    options: { maxSize: 4 * 1024 * 1024, expiration: { period: DAY } }
  },
  {
    name: 'where uploads expire soon',
    options: { expiration: { period: 1500, sweepInterval: 0 } },
    known: { expiresWithin: 1500 },
    ids: ['HEAD-06', 'EXP-05', 'EXP-06', 'EDGE-58', 'EDGE-70']
  },
  {
    name: 'where sweeps are frequent',
    options: { expiration: { period: 1500, sweepInterval: 100 } },
    known: { expiresWithin: 1500, sweepsEvery: 100 },
    ids: ['EXP-07', 'EXP-08']
  },
  {
    name: 'where bodies must not stall, nothing expires, and nothing is too large',
    options: { idleTimeout: 300 },
    known: { idleTimeout: 300 },
    ids: ['CORE-08', 'PATCH-07', 'EXP-01', 'EDGE-03', 'EDGE-74']
  }
]

const answered = new Set<Requirement>()
const skipped = new Map<Requirement, string>()

t.setTimeout(300_000)

for (const { name, http2 = false, options, known, ids } of servers) {
  t.test(name, async (t) => {
    const app = Fastify((http2 ? { http2 } : {}) as FastifyServerOptions)
    const directory = t.testdir({})
    t.teardown(() => app.close())
    await app.register(fastifyTus, { prefix: '/files', directory, ...options })
    const url = new URL(`${await app.listen({ port: 0, host: '127.0.0.1' })}/files`)
    const transport = http2 ? new Http2Transport(url) : new Http1Transport(url)
    const suite = await Suite.open(url, transport, { strict: true, ...known })
    const asked = requirements.filter(({ id }) => ids === undefined || ids.includes(id))
    const running = ids === undefined ? [] : asked.map(requirement => suite.run(requirement))

    for (const [i, requirement] of asked.entries()) {
      await t.test(`${requirement.id} ${requirement.title}`, async (t) => {
        const { status, reason, sent, expected, came, before } = await (running[i] ?? suite.run(requirement))
        if (status === 'skip') {
          skipped.set(requirement, reason)
          return t.pass(requirement.title, { skip: reason })
        }
        answered.add(requirement)
        if (status === 'pass') t.pass(expected)
        else t.fail(`expected ${expected}`, { before, sent, came, reason })
      })
    }
  })
}

t.test('each requirement was asked of one of the servers, unless they do not offer what it is about', async (t) => {
  const left = [...skipped].filter(([requirement, reason]) => {
    return !answered.has(requirement) && !/^(the server (does not )?advertise|no ETag)/.test(reason)
  })
  t.strictSame(left, [])
})

t.test('each requirement of the checklist is asked for, or known not to be on the wire', async (t) => {
  const rows = {
    CORE: 11,
    HEAD: 9,
    PATCH: 11,
    CREATE: 9,
    DEFER: 8,
    CWU: 7,
    EXP: 10,
    CKSUM: 10,
    TERM: 7,
    CONCAT: 17,
    LOCK: 8,
    CORS: 5,
    EDGE: 83
  }
  const checklist = Object.entries(rows).flatMap(([name, count]) => {
    return Array.from({ length: count }, (_, i) => `${name}-${String(i + 1).padStart(2, '0')}`)
  })
  const asked = [...new Set(requirements.map(({ id }) => id))]
  t.strictSame([...asked, ...Object.keys(notOnTheWire)].sort(), checklist.sort())
})
