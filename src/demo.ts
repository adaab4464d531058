import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DemoError } from './demo/errors.ts'
import { killProcesses } from './demo/processes.ts'
import { runDemo } from './demo/run.ts'
import { makeSource, openSource } from './demo/source.ts'

const USAGE = `Usage: npm run demo [-- FILE]

Uploads a file (default: a clip of 64 MiB), kills the server in the middle, resumes, and compares.
`

const workplace = await mkdtemp(join(tmpdir(), 'fastify-tus-demo-'))

for (const [signal, exitCode] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
  process.once(signal, () => {
    cleanUp()
    process.exit(exitCode)
  })
}

try {
  const path = process.argv[2]
  if (path === '--help' || path === '-h') {
    process.stdout.write(USAGE)
  } else {
    const source = path ? await openSource(path) : await makeSource(workplace)
    await runDemo(source, workplace, process.stdout)
  }
} catch (error) {
  if (!(error instanceof DemoError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  cleanUp()
}

function cleanUp (): void {
  killProcesses()
  rmSync(workplace, { recursive: true, force: true })
}
