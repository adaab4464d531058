import { readdirSync } from 'node:fs'
import path from 'node:path'
import { tsImport } from 'tsx/esm/api'

// tap imports this file without a loader of TypeScript.
const { programOf } = await tsImport('../../src/demo/engines/programs.ts', import.meta.url)

const both = [path.join('src', 'engines.ts'), path.join('demo', 'engines'), path.join('demo', 'cluster')]
/** The files whose tests need a server. */
const needs = {
  redis: [path.join('locks', 'redis'), ...both],
  versitygw: [path.join('stores', 's3'), ...both]
}
const missing = Object.entries(needs).flatMap(([engine, files]) => programOf(engine) === undefined ? files : [])

// A suite runs folders of tests: it covers every file of the plugin and the server that it loads.
const sources = ['plugin', 'src'].flatMap((folder) => readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(folder, name)))
  .filter((file) => !missing.some((part) => file.includes(part)))

export default () => sources
