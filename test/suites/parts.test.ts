import { importAll } from './import-all.ts'

await importAll('engines', 'contracts', 'stores', 'locks', 'uploads', 'example-client')
