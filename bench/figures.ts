/** The results of a run as data, for tables and plots. */

/** A quantity that is measured for each server. */
export interface Metric {
  name: string
  unit: string
  /** The number of significant decimal places. */
  digits: number
  /** Whether tables show the ratio between servers. Set for the main metrics of a work. */
  compared?: boolean
  /** Whether tables show minimum and maximum without a ratio. */
  spread?: boolean
}

/** One number for each metric, by its name. */
export type Figures = Record<string, number>

export interface Row {
  server: string
  /** One entry per round. */
  rounds: Figures[]
}

/** The content of one table: servers that did the same work in turn. */
export interface Case {
  title: string
  /** The id of the work, and the date of the measurement. */
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

/** Minimum, lower quartile, median, upper quartile and maximum of some numbers. */
export interface Summary { min: number, lower: number, median: number, upper: number, max: number }

export function summarize (numbers: number[]): Summary {
  const at = (share: number): number => quantile(numbers, share)
  return { min: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), max: at(1) }
}

/** The number below which this share of the numbers is; 0.5 is the median. */
export function quantile (numbers: number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const [below = NaN, above = NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return below + (above - below) * (place % 1)
}

export function summaryOf (row: Row, metric: Metric): Summary {
  return summarize(row.rounds.map((figures) => figures[metric.name] ?? NaN))
}

/** The ratio of a metric between two servers, computed per round. */
export function ratioOf (row: Row, other: Row, metric: Metric): Summary {
  return summarize(row.rounds.map((figures, round) => {
    return (figures[metric.name] ?? NaN) / (other.rounds[round]?.[metric.name] ?? NaN)
  }))
}

/** A figure is noisy if the middle half of the rounds spans more than this share of the median. */
export const NOISE = 0.2

export function isNoisy ({ lower, median, upper }: Summary): boolean {
  return upper - lower > NOISE * median
}
