import { importAll } from './import-all.ts'

await importAll('plugin', 'http', 'protocols')
