import type { Result } from './suite.ts'

/** One result, as text: a line, and for a failure what was sent, expected and came. */
export function renderResult (result: Result, verbose: boolean): string {
  const { id, title, status, reason } = result
  const line = `${status.padEnd(4)}  ${id.padEnd(9)}  ${title}${status === 'skip' ? ` # ${reason}` : ''}\n`
  if (status === 'skip' || (status === 'pass' && !verbose)) return line
  return line +
    result.before.map(exchange => `        before    ${exchange}\n`).join('') +
    part('sent', result.sent) + part('expected', result.expected) + part('came', result.came) + part('reason', reason)
}

/** The last line. */
export function renderSummary (results: Result[]): string {
  const count = (status: Result['status']): number => results.filter(result => result.status === status).length
  return `${count('pass')} passed, ${count('fail')} failed, ${count('skip')} skipped\n`
}

function part (name: string, text: string): string {
  if (text === '') return ''
  const [first, ...more] = text.trimEnd().split(/\r?\n/)
  return [`        ${name.padEnd(8)}  ${first}`, ...more.map(line => `${' '.repeat(18)}${line}`)].join('\n') + '\n'
}
