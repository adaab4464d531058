import { readdirSync } from 'node:fs'
import path from 'node:path'

// A suite runs folders of tests: it covers every file of the plugin and the server that it loads.
const sources = ['plugin', 'src'].flatMap((folder) => readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(folder, name)))

export default () => sources
