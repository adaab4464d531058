import { checklist } from './checklist.ts'
import type { Result } from '../suite.ts'
import type { Tally } from '../tally.ts'

/** The length at which an expectation is cut off: patterns are long. */
const SHOWN = 140

/** The failures of one server, in a collapsed section. */
export function failures (name: string, tally: Tally): string {
  const failed = tally.verdicts.filter(({ status }) => status === 'fail').map(({ results }) => results[0]!)
  if (failed.length === 0) return `${name}: no failures.\n`

  const lines = Object.keys(checklist).flatMap(id => failed.filter(result => result.id === id).map(line))
  return `<details><summary>${name}: ${failed.length}</summary>\n\n${lines.join('\n')}\n\n</details>\n`
}

function line ({ id, title, expected, came, reason }: Result): string {
  const wanted = code(shorten(steady(expected)))
  const what = came === '' ? reason : `expected ${wanted}; received ${code(steady(answer(expected, came)))}`
  return `- ${id} ${escape(title)}: ${what}`
}

/** The received status, with the headers that the expectation names. */
function answer (expected: string, came: string): string {
  const [status = '', ...lines] = came.split(/\r?\n/)
  if (!/^\d{3} /.test(status)) return status
  const names = expected.matchAll(/(?:^|, )(?:no )?([A-Z][A-Za-z]+(?:-[A-Za-z]+)+)(?=: | matching |,|$)/g)
  const headers = Array.from(names, ([, name]) => {
    return lines.find(header => header.toLowerCase().startsWith(`${name!.toLowerCase()}:`)) ?? `no ${name}`
  })
  return [status.trim(), ...headers].join(', ')
}

function code (text: string): string {
  return `\`${text.replaceAll('`', "'")}\``
}

/** Ports and ids differ between runs. */
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
