import { importAll } from './import-all.ts'

await importAll('contracts', 'stores', 'locks', 'uploads', 'example-client')
