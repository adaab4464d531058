import { checklist } from './checklist.ts'
import type { Result } from '../suite.ts'
import type { Tally } from '../tally.ts'

/** How much of an expectation to show: those of forms are long. */
const SHOWN = 140

/** What failed at one server, folded up. */
export function failures (name: string, tally: Tally): string {
  const failed = tally.verdicts.filter(({ status }) => status === 'fail').map(({ results }) => results[0]!)
  if (failed.length === 0) return `${name}: nothing.\n`

  const lines = Object.keys(checklist).flatMap(id => failed.filter(result => result.id === id).map(line))
  return `<details><summary>${name}: ${failed.length}</summary>\n\n${lines.join('\n')}\n\n</details>\n`
}

function line ({ id, title, expected, came, reason }: Result): string {
  const what = came === '' ? reason : `expected ${code(shorten(steady(expected)))}; came ${code(steady(answer(expected, came)))}`
  return `- ${id} ${escape(title)}: ${what}`
}

/** Of what came, the status, and those headers that something was expected of. */
function answer (expected: string, came: string): string {
  const [status = '', ...lines] = came.split(/\r?\n/)
  if (!/^\d{3} /.test(status)) return status
  const names = expected.matchAll(/(?:^|, )(?:no )?([A-Z][A-Za-z]+(?:-[A-Za-z]+)+)(?=: | like |,|$)/g)
  const headers = Array.from(names, ([, name]) => {
    return lines.find(header => header.toLowerCase().startsWith(`${name!.toLowerCase()}:`)) ?? `no ${name}`
  })
  return [status.trim(), ...headers].join(', ')
}

function code (text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}

/** Ports and ids are others in each run. */
function steady (text: string): string {
  return text
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1')
    .replace(/[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}/g, 'ID')
}

function shorten (text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

function escape (text: string): string {
  return text.replace(/[<*_[\]|\\]/g, '\\$&').replace(/[^\x20-\x7e]/g, letter => encodeURIComponent(letter))
}
