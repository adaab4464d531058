import type { Result } from './suite.ts'
import type { Totals } from './tally.ts'
import type { Protocol } from './transport.ts'

const NAMES = { 'http/1.1': 'HTTP/1.1', h2: 'HTTP/2' }

/** Renders a result: one line and, for a failure, the request, the expectation and the response. */
export function renderResult (result: Result, verbose: boolean): string {
  const { id, title, status, reason } = result
  const line = `${status.padEnd(4)}  ${id.padEnd(9)}  ${title}${status === 'skip' ? ` # ${reason}` : ''}\n`
  if (status === 'skip' || (status === 'pass' && !verbose)) return line
  return line +
    result.before.map(exchange => `        before    ${exchange}\n`).join('') +
    part('sent', result.sent) + part('expected', result.expected) + part('received', result.came) +
    part('reason', reason)
}

/** Renders the totals as one line. */
export function renderTotals ({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** Renders how many requirements do not apply to the protocol, as one line. */
export function renderLeftOut (count: number, protocol: Protocol): string {
  return `${count} left out: not applicable to ${NAMES[protocol]}`
}

function part (name: string, text: string): string {
  if (text === '') return ''
  const [first, ...more] = text.trimEnd().split(/\r?\n/)
  return [`        ${name.padEnd(8)}  ${first}`, ...more.map(line => `${' '.repeat(18)}${line}`)].join('\n') + '\n'
}
