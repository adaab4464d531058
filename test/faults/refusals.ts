/** For tests of refusals by the system: real ones, skipped with the reason if they cannot be provoked. */
import { execFileSync } from 'node:child_process'
import nodeFs from 'node:fs'
import fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Test } from 'tap'

export const MIB = 1024 * 1024

function run (command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A separate file system, and a function to remount it with other options. */
export function mount (t: Test, options: string): { directory: string, remount: (options: string) => void } {
  const directory = nodeFs.mkdtempSync(path.join(tmpdir(), 'disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory])
  t.teardown(async () => {
    execFileSync('umount', ['-l', directory])
    await fs.rmdir(directory)
  })
  return {
    directory,
    remount: (options) => { execFileSync('mount', ['-o', `remount,${options}`, directory]) }
  }
}

function canMount (): boolean {
  if (process.getuid?.() !== 0) return false
  const directory = nodeFs.mkdtempSync(path.join(tmpdir(), 'mount-'))
  const can = run('mount', '-t', 'tmpfs', 'tmpfs', directory)
  if (can) run('umount', directory)
  nodeFs.rmdirSync(directory)
  return can
}

export const withMount = { skip: canMount() ? false : 'mounting is not allowed here' }
export const withPrlimit = { skip: run('prlimit', '--version') ? false : 'prlimit is missing' }

/** The names in a directory that belong to none of these uploads. */
export async function strays (directory: string, locations: string[]): Promise<string[]> {
  const ids = locations.map((location) => path.basename(location))
  return (await fs.readdir(directory)).filter((name) => !ids.includes(name.replace(/\.json$/, '')))
}

interface Refusal {
  body: string
  statusCode: number
}

/** Every error that a client gets is short, and says nothing about the machine. */
export function isClear (t: Test, { body, statusCode }: Refusal, code: string, status: number): void {
  t.equal(statusCode, status)
  t.equal((JSON.parse(body) as { code: string }).code, code)
  t.ok(body.length < 200)
  t.notMatch(body, /\bE[A-Z]{4,}\b|\/disk|errno|syscall/)
}
