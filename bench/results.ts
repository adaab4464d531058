/** What a run found, as data: tables and plots are made from it. */

/** Something that is measured of each server. */
export interface Metric {
  name: string
  unit: string
  /** How many digits behind the point mean something. */
  digits: number
  /** Whether tables give the ratio between servers: what the work is about. */
  compared?: boolean
  /** Whether tables give the least and the greatest without a ratio. */
  spread?: boolean
}

/** One number for each metric, by its name. */
export type Figures = Record<string, number>

export interface Row {
  server: string
  /** One for each round. */
  rounds: Figures[]
}

/** What one table shows: some servers that did the same in turn. */
export interface Case {
  title: string
  /** The id of the work, and when it was measured. */
  work: string
  date: string
  metrics: Metric[]
  rows: Row[]
  leftOut: { name: string, why: string }[]
}

export interface Results {
  machine: string
  /** By the name of the server. */
  versions: Record<string, string>
  cases: Case[]
}

/** The least, the middle and the greatest of some numbers. */
export interface Summary { min: number, median: number, max: number }

export function summarize (numbers: number[]): Summary {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const at = (index: number): number => sorted[index] ?? NaN
  const median = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
  return { min: at(0), median, max: at(sorted.length - 1) }
}

export function summaryOf (row: Row, metric: Metric): Summary {
  return summarize(row.rounds.map((figures) => figures[metric.name] ?? NaN))
}

/** How many times as much a server had as another one, round by round. */
export function ratioOf (row: Row, other: Row, metric: Metric): Summary {
  return summarize(row.rounds.map((figures, round) => {
    return (figures[metric.name] ?? NaN) / (other.rounds[round]?.[metric.name] ?? NaN)
  }))
}

/** Rounds that differ by more than this share of their median cannot tell much. */
export const NOISE = 0.3

export function isNoisy ({ min, median, max }: Summary): boolean {
  return max - min > NOISE * median
}
