import { importAll } from './import-all.ts'

await importAll('engines', 'contracts', 'locks', 'uploads', 'example-client')
