import { notOnTheWire } from '../not-on-the-wire.ts'
import { renderTotals } from '../report.ts'
import { requirements, requirementsOver } from '../requirements.ts'
import { LEFT_TO_THE_SERVER } from '../suite.ts'
import { totalsOf } from '../tally.ts'
import { checklist, groups } from './checklist.ts'
import { failures } from './failures.ts'
import type { Tally, Totals } from '../tally.ts'

/** A server, and what became of the requirements there. */
export interface Column {
  name: string
  version: string
  /** Of each configuration that it was run in. */
  options: string[]
  tally: Tally
  /** How often it ended by itself, or would have. */
  crashes: number
}

export interface Page {
  columns: Column[]
  /** The names of servers that were not found. */
  leftOut: string[]
  /** Of our own server, asked strictly. */
  strict: Totals
  date: Date
}

const overHttp1 = requirementsOver('http/1.1')

/** `docs/conformance.md`. */
export function renderPage (page: Page): string {
  const { columns } = page
  return [
    introduction(page),
    '## The servers\n',
    servers(page),
    '## The table\n',
    ...Object.entries(groups).map(([group, name]) => `### ${name}\n\n${table(group, columns)}`),
    '## Not on the wire\n',
    `These rows of the checklist take a restart, a fault, a hook or a look at the disk. Tests of fastify-tus name them:
no other server was asked.\n`,
    Object.entries(notOnTheWire).map(([id, how]) => `- ${id}: ${how}`).join('\n'),
    '\n## What failed\n',
    'What was expected, and what came. `closed` stands for the end of the connection.\n',
    ...columns.map(({ name, tally }) => failures(name, tally))
  ].join('\n')
}

function introduction ({ date }: Page): string {
  return `# Conformance

<!-- Written by \`npm run conformance:table\`: changes are lost. -->

What [tus 1.0.0](https://tus.io/protocols/resumable-upload) asks of a server, and what hostile and unlucky clients do to
one, as ${requirements.length} checks under ${Object.keys(checklist).length} IDs; run against fastify-tus and other servers \
on ${date.toISOString().slice(0, 10)} over HTTP/1.1, on
one machine, over its loopback interface.

## Run it

| | |
| --- | --- |
| \`npx fastify-tus conformance https://example.com/files\` | checks the server whose creation URL this is |
| \`npm run conformance -- http://127.0.0.1:1080/files\` | the same, in this repository |
| \`npm run conformance\` | checks fastify-tus itself: HTTP/1.1 and HTTP/2, with and without TLS, in all configurations |
| \`npm run conformance:table\` | writes this page; \`tusd\` and \`rustus\` are taken from the \`PATH\` |

\`npx fastify-tus conformance --help\` tells the options. The exit status is 0 when nothing failed, 1 when something
failed, and 2 when the suite could not be run. For each failure it prints what was sent, what was expected and what came.
What it cannot ask of a server it prints as \`skip\`, with the reason.

## Read it

- **3/3**: all three checks of this ID passed. **2/3 ✗**: one failed.
- **–**: not offered. The server does not advertise the extension, or lacks what this is about: no maximum, no lifetime.
- **own choice**: the protocol leaves it to the server; it is asked for with \`--strict\` only.
- **n/a**: does not apply, because HTTP/1.1 has not on its wire what this is about.

Checks that could not be asked are not counted: \`2/2\` may be two of three. Servers differ in what they promise, and much
of the last section is not in the protocol: a ✗ there is a weakness, not a breach. Some checks are races, many requests at
once: a server that wins one of them in this run may lose it in another.
`
}

function servers ({ columns, leftOut, strict }: Page): string {
  const ids = Object.keys(checklist)
  const rows = columns.map(({ name, version, tally }) => {
    const { passed, failed, skipped } = tally.totals
    const whole = ids.filter(id => /^(\d+)\/\1$/.test(cell(id, tally))).length
    const broken = ids.filter(id => cell(id, tally).includes('✗')).length
    return `| ${name} ${version} | ${passed} | ${failed} | ${skipped} | ${whole} | ${broken} |`
  })
  const crashed = columns.filter(({ crashes }) => crashes > 0).map(({ name, crashes }) => {
    return `${name} met ${crashes} exceptions that nobody caught, each of which ends the process. Here they were ignored, or it was
started again, so that the rest could be asked.\n\n`
  })
  const options = columns.map(({ name, options }) => {
    return `- ${name}\n${options.map(one => `  - ${one || 'defaults'}`).join('\n')}`
  })
  return `| | passed | failed | not asked | IDs without ✗ | IDs with ✗ |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

${leftOut.length === 0 ? '' : `Left out, because not installed: ${leftOut.join(', ')}.\n\n`}Asked with \`--strict\`, \
fastify-tus has ${renderTotals(strict)} over HTTP/1.1. On Node ${process.versions.node}.

${crashed.join('')}Each server was run in several configurations, since no single one lets everything come to pass: a check is failed where it
failed in one, and not asked where it could be asked in none. What is not named here was left at its default:

${options.join('\n')}
`
}

function table (group: string, columns: Column[]): string {
  const ids = Object.keys(checklist).filter(id => id.startsWith(`${group}-`))
  return `| | | ${columns.map(({ name }) => name).join(' | ')} |
| --- | --- |${' --- |'.repeat(columns.length)}
${ids.map(id => `| ${id} | ${checklist[id]} | ${columns.map(({ tally }) => cell(id, tally)).join(' | ')} |`).join('\n')}
`
}

function cell (id: string, tally: Tally): string {
  const applicable = overHttp1.filter(requirement => requirement.id === id)
  if (applicable.length === 0) return 'n/a'
  const verdicts = applicable.map(requirement => tally.verdict(requirement)!)
  const { passed, failed } = totalsOf(verdicts)
  if (passed + failed > 0) return `${passed}/${passed + failed}${failed > 0 ? ' ✗' : ''}`
  return verdicts.every(({ results }) => results[0]!.reason === LEFT_TO_THE_SERVER) ? 'own choice' : '–'
}
