/** This plugin in several processes, as in `docs/guides/several-processes.md`. */
import cluster from 'node:cluster'
import { options } from './serve.ts'

if (cluster.isPrimary) {
  for (let i = 0; i < Number(options.workers); i++) cluster.fork()
} else {
  await import('./ours.ts')
}
