import t from 'tap'
import { wires } from '../../conformance/configurations.ts'
import { notOnTheWire } from '../../conformance/not-on-the-wire.ts'
import { askOurselves } from '../../conformance/own.ts'
import { requirements, requirementsOver } from '../../conformance/requirements.ts'
import { notOnTheWire as notOfRufh } from '../../conformance/resumable-upload/not-on-the-wire.ts'
import { resumableUpload } from '../../conformance/resumable-upload/requirements.ts'
import { uploadProtocols } from '../../conformance/suite.ts'
import { suites } from '../../conformance/suites.ts'
import { checklist } from '../../conformance/table/checklist.ts'
import { Tally } from '../../conformance/tally.ts'
import type { OwnRun } from '../../conformance/own.ts'

t.setTimeout(300_000)

const runsToCheck = uploadProtocols.flatMap((protocol) => wires.map((wire) => ({ protocol, wire })))

for (const { protocol, wire } of runsToCheck) {
  t.test(`${protocol} over ${wire.name}`, async (t) => {
    const { runs, close } = await askOurselves(wire, t.testdir({}), undefined, { protocol })
    t.teardown(close)
    const tally = new Tally()

    for (const { configuration, asked, results } of runs) {
      await t.test(configuration.name, async (t) => {
        for (const [i, requirement] of asked.entries()) {
          const result = await results[i]!
          tally.add(requirement, result)
          const { id, title, status, reason, sent, expected, came, before } = result
          // A check that is skipped in one configuration runs in another one, see below.
          if (status !== 'skip') t.equal(status, 'pass', `${id} ${title}`, { before, sent, expected, came, reason })
        }
      })
    }

    t.test('each requirement runs in one of the configurations', async (t) => {
      const asked = requirementsOver(wire.protocol, suites[protocol].requirements)
      t.strictSame(asked.filter(requirement => (tally.verdict(requirement)?.status ?? 'skip') === 'skip'), [])
    })

    t.test('the configuration with all extensions skips only requirements of other configurations', async (t) => {
      const [{ asked, results }, ...others] = runs as [OwnRun, ...OwnRun[]]
      const elsewhere = new Set(others.flatMap(({ asked }) => asked))
      for (const [i, requirement] of asked.entries()) {
        const { id, title, status, reason } = await results[i]!
        if (status === 'skip') t.ok(elsewhere.has(requirement), `${id} ${title}`, { reason })
      }
    })
  })
}

t.test('each requirement has a unique id and title, and applies to one of the protocols', async (t) => {
  for (const { requirements } of Object.values(suites)) {
    t.equal(new Set(requirements.map(({ id, title }) => `${id} ${title}`)).size, requirements.length)
    const overWires = wires.flatMap(({ protocol }) => requirementsOver(protocol, requirements))
    t.equal(new Set(overWires).size, requirements.length)
  }
})

t.test('each requirement of Resumable Uploads for HTTP has a check, or is listed as not observable', async (t) => {
  // The ids are numbered by section: 1 to 11, 20 to 39 …
  const sections = [[1, 11], [20, 39], [40, 49], [50, 67], [70, 83]] as const
  const ids = sections.flatMap(([first, last]) => {
    return Array.from({ length: last - first + 1 }, (_, i) => `RUFH-${String(first + i).padStart(2, '0')}`)
  })
  const asked = [...new Set(resumableUpload.map(({ id }) => id))]
  t.strictSame([...asked, ...Object.keys(notOfRufh)].sort(), ids)
})

t.test('each row of the checklist has a check, or is listed as not observable', async (t) => {
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
  const ids = Object.entries(rows).flatMap(([name, count]) => {
    return Array.from({ length: count }, (_, i) => `${name}-${String(i + 1).padStart(2, '0')}`)
  })
  const asked = [...new Set(requirements.map(({ id }) => id))]
  t.strictSame([...asked, ...Object.keys(notOnTheWire)].sort(), ids.sort())
  t.strictSame(Object.keys(checklist).sort(), asked.sort())
})
