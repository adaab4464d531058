import { execFile, spawnSync } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { versions } from './versions.ts'

const execute = promisify(execFile)

/** Options of a test that needs these commands: it is skipped if one of them fails, with its name as the reason. */
export function needs (...commands: string[][]): { skip: string | false } {
  const missing = commands.find(([program = '', ...args]) => spawnSync(program, args, { stdio: 'ignore' }).status !== 0)
  return { skip: missing !== undefined && `not installed: ${missing.join(' ')}` }
}

/** Copies the program of a client, `test/clients/<name>/`, into a directory. */
export async function copyProgram (name: string, directory: string): Promise<void> {
  await cp(join(import.meta.dirname, name), directory, { recursive: true })
}

/** Installs packages of npm, or a packed one by its path, into a directory. */
export async function installPackages (directory: string, ...packages: string[]): Promise<void> {
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  await execute('npm', ['install', '--prefix', directory, ...flags, ...packages], { cwd: directory })
}

export const npmSpec = (name: keyof typeof versions) => `${name}@${versions[name]}`

/** Installs tuspy into a virtual environment, and returns the path of its Python. */
export async function installTuspy (directory: string): Promise<string> {
  await execute('python3', ['-m', 'venv', join(directory, 'venv')])
  const python = join(directory, 'venv/bin/python')
  await execute(python, ['-m', 'pip', 'install', '--quiet', `tuspy==${versions.tuspy}`])
  return python
}

/** Copies the JAR of tus-java-client, which has no dependencies, into a directory, and returns its path. */
export async function installTusJavaClient (directory: string): Promise<string> {
  const version = versions['tus-java-client']
  const artifact = `io.tus.java.client:tus-java-client:${version}`
  const properties = [`-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`]
  await execute('mvn', ['--batch-mode', '--quiet', 'dependency:copy', ...properties], { cwd: directory })
  return join(directory, `tus-java-client-${version}.jar`)
}

/** Builds the program of tusgo in a directory, and returns its path. */
export async function buildTusgo (directory: string): Promise<string> {
  await execute('go', ['mod', 'init', 'upload'], { cwd: directory })
  await execute('go', ['get', `github.com/bdragon300/tusgo@v${versions.tusgo}`], { cwd: directory })
  await execute('go', ['build', '-o', 'upload'], { cwd: directory })
  return join(directory, 'upload')
}
