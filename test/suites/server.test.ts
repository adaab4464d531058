import { importAll } from './import-all.ts'

await importAll('src', 'model', 'docs')
