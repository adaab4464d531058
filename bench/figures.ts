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

/** The least, the middle and the greatest of some numbers, and the bounds of the middle half of them. */
export interface Summary { min: number, lower: number, median: number, upper: number, max: number }

export function summarize (numbers: number[]): Summary {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const place = share * (sorted.length - 1)
    const [below = NaN, above = NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
    return below + (above - below) * (place % 1)
  }
  return { min: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), max: at(1) }
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

/** Where the middle half of the rounds differs by more than this share of the median, they cannot tell much. */
export const NOISE = 0.2

export function isNoisy ({ lower, median, upper }: Summary): boolean {
  return upper - lower > NOISE * median
}
