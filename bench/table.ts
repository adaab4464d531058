/** Results as Markdown tables that are also readable on a terminal. */
import { LIMIT, OURS, OURS_S3, STATIC } from './peers.ts'
import {
  type Case, isNoisy, type Metric, NOISE, ratioOf, type Results, type Row, type Summary, summaryOf
} from './figures.ts'

/** The servers that the others are compared with, if they were measured. */
const references = [LIMIT, STATIC, OURS, OURS_S3]

export function renderResults ({ machine, versions, cases }: Results): string {
  return [
    machine,
    Object.entries(versions).map(([name, version]) => `- ${name}: ${version}`).join('\n'),
    ...cases.map(renderCase),
    `\`~\`: noisy, the middle half of the rounds spans more than ${NOISE * 100} % of the median. ` +
      'Figures are medians, with minimum and maximum in parentheses. Ratios are computed per round.'
  ].join('\n\n')
}

export function renderCase ({ title, date, metrics, rows, leftOut }: Case): string {
  const columns = metrics.flatMap((metric) => columnsOf(metric, rows))
  const lines = [['server', ...columns.map(({ title }) => title)]]
  for (const row of rows) lines.push([row.server, ...columns.map(({ cell }) => cell(row))])
  const rounds = Math.max(...rows.map(({ rounds }) => rounds.length))
  const out = leftOut.map(({ name, why }) => `Left out: ${name}, because ${why}.`)
  return [`### ${title}`, align(lines), [`${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${date}.`, ...out].join(' ')].join('\n\n')
}

interface Column { title: string, cell: (row: Row) => string }

function columnsOf (metric: Metric, rows: Row[]): Column[] {
  const { unit, digits, compared = false, spread = compared } = metric
  const columns = [{
    title: unit,
    cell: (row: Row) => {
      const summary = summaryOf(row, metric)
      return spread ? renderSummary(summary, digits) : summary.median.toFixed(digits)
    }
  }]
  if (!compared) return columns
  for (const name of references) {
    const other = rows.find(({ server }) => server === name)
    if (other === undefined) continue
    columns.push({ title: `times ${name}`, cell: (row) => row === other ? '1' : renderSummary(ratioOf(row, other, metric), 2) })
  }
  return columns
}

function renderSummary (summary: Summary, digits: number): string {
  const { min, median, max } = summary
  if (min === max) return median.toFixed(digits)
  const text = `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`
  return isNoisy(summary) ? `${text} ~` : text
}

function align (lines: string[][]): string {
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0))) ?? []
  const render = (line: string[]): string =>
    `| ${line.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width, i) => i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`).join(' | ')} |`
  const [header = [], ...body] = lines
  return [render(header), rule, ...body.map(render)].join('\n')
}
