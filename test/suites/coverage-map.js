import { readdirSync } from 'node:fs'
import path from 'node:path'

// A suite runs a folder of tests: it covers every file that it loads of the plugin and the server.
const sources = ['plugin', 'src'].flatMap((folder) => readdirSync(folder, { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => path.join(folder, name)))

export default () => sources
