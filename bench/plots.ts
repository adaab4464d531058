/** Plots of how the costs grow, for `docs/internals/`: `npm run bench:plots`. `--redraw` uses the last figures. */
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Bench } from './bench.ts'
import { KIB, MIB } from './bytes.ts'
import { findPeers, limit, ours, oursNone, tusNode } from './peers.ts'
import { resultsOn, stringify } from './report.ts'
import { type Results, summaryOf } from './figures.ts'
import { root } from './root.ts'
import { type Line, type Plot, renderPlot } from './svg.ts'
import { byBodySize, byStored, type Point } from './works/growth.ts'

/** The data of the plots. */
interface Growth extends Omit<Results, 'cases'> {
  bodySizes: Point[]
  creations: Point[]
  heads: Point[]
}

const data = new URL('bench/plots.json', root)
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, redraw: { type: 'boolean', default: false } }
})
if (!values.redraw) await writeFile(data, stringify(await measure()))
const growth = JSON.parse(await readFile(data, 'utf8')) as Growth
const plots = { 'body-size': bodySizePlot(growth), 'stored-uploads': storedPlot(growth) }
for (const [name, plot] of Object.entries(plots)) {
  const file = `docs/internals/performance-${name}.svg`
  await writeFile(new URL(file, root), renderPlot(plot))
  console.log(`written to ${file}`)
}

async function measure (): Promise<Growth> {
  const { leftOut } = await findPeers()
  const peers = [limit, oursNone, ours, tusNode]
  const bench: Bench = { work: 'plots', rounds: Number(values.rounds), quick: false, large: false, peers, leftOut }
  const { machine, versions } = resultsOn(peers, [])
  return { machine, versions, bodySizes: await byBodySize(bench), ...await byStored(bench) }
}

function bodySizePlot ({ bodySizes }: Growth): Plot {
  return {
    title: 'Server CPU per GiB, by PATCH size',
    x: {
      label: 'bytes per PATCH',
      ticks: bodySizes.map(({ at }) => at),
      format: (bytes) => bytes < MIB ? `${bytes / KIB} KiB` : `${bytes / MIB} MiB`
    },
    y: { label: 'CPU seconds per GiB (lower is better)' },
    lines: [
      lineOf(bodySizes, tusNode.name, 'cpu', { colour: 1 }),
      lineOf(bodySizes, ours.name, 'cpu', { colour: 3 }),
      lineOf(bodySizes, oursNone.name, 'cpu', { colour: 0 }),
      lineOf(bodySizes, limit.name, 'cpu', { colour: 2, dashed: true })
    ]
  }
}

function storedPlot ({ creations, heads }: Growth): Plot {
  return {
    title: 'Requests per second of server CPU, by number of stored uploads',
    x: { label: 'stored uploads', ticks: heads.map(({ at }) => at), format: (count) => count.toLocaleString('en') },
    y: { label: 'requests per CPU second (higher is better)' },
    lines: [
      lineOf(heads, oursNone.name, 'perCpu', { name: 'HEAD, ours', colour: 0 }),
      lineOf(heads, tusNode.name, 'perCpu', { name: 'HEAD, @tus/server', colour: 1 }),
      lineOf(creations, oursNone.name, 'perCpu', { name: 'POST, ours', colour: 0, dashed: true }),
      lineOf(creations, tusNode.name, 'perCpu', { name: 'POST, @tus/server', colour: 1, dashed: true })
    ]
  }
}

/** The medians of one server. */
function lineOf (
  points: Point[], server: string, metric: string, style: { name?: string, colour: number, dashed?: boolean }
): Line {
  return {
    name: server,
    ...style,
    points: points.map(({ at, measured }) => {
      const row = measured.rows.find((row) => row.server === server)
      const of = measured.metrics.find(({ name }) => name === metric)
      if (row === undefined || of === undefined) throw new Error(`no ${metric} of ${server} at ${at}`)
      return { x: at, y: summaryOf(row, of).median }
    })
  }
}
