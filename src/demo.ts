import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runCluster } from './demo/cluster/run.ts'
import { DemoError } from './demo/errors.ts'
import { killProcesses } from './demo/processes.ts'
import { runDemo } from './demo/run.ts'
import { makeSource, openSource } from './demo/source.ts'

const USAGE = `Usage: npm run demo [-- [--cluster] [FILE]]

Uploads a file (default: a clip of 64 MiB), kills the server in the middle, resumes, and compares.

  --cluster  three servers behind a load balancer share a bucket (versitygw) and locks (Redis, if it is installed),
             and each of them is killed once; "npm run engines" installs versitygw and Redis
`

const workplace = await mkdtemp(join(tmpdir(), 'fastify-tus-demo-'))

// Redis ignores SIGHUP, so that it would outlive its terminal.
for (const [signal, exitCode] of [['SIGHUP', 129], ['SIGINT', 130], ['SIGTERM', 143]] as const) {
  process.once(signal, () => {
    cleanUp()
    process.exit(exitCode)
  })
}

try {
  const { values: { cluster, help }, positionals: [path] } = readArguments()
  if (help) {
    process.stdout.write(USAGE)
  } else {
    const source = path ? await openSource(path) : await makeSource(workplace)
    const run = cluster ? runCluster : runDemo
    await run(source, workplace, process.stdout)
  }
} catch (error) {
  if (!(error instanceof DemoError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  cleanUp()
}

function readArguments () {
  const options = { cluster: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    throw new DemoError((error as Error).message)
  }
}

function cleanUp (): void {
  killProcesses()
  // A process that is being killed may still create a file.
  rmSync(workplace, { recursive: true, force: true, maxRetries: 10 })
}
