import { readdirSync } from 'node:fs'
import path from 'node:path'
import { programOf } from '../engines/programs.js'

/** The files whose tests need a server. */
const needs = {
  redis: [path.join('locks', 'redis'), path.join('src', 'engines.ts')],
  versitygw: [path.join('stores', 's3'), path.join('src', 'engines.ts')]
}
const missing = Object.entries(needs).flatMap(([engine, files]) => programOf(engine) === undefined ? files : [])

// A suite runs folders of tests: it covers every file of the plugin and the server that it loads.
const sources = ['plugin', 'src'].flatMap((folder) => readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(folder, name)))
  .filter((file) => !missing.some((part) => file.includes(part)))

export default () => sources
