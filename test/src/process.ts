import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const root = join(import.meta.dirname, '../..')

/** A running process, and its output. */
export interface Run {
  child: ChildProcess
  /** Resolves with the first line that contains the words. */
  line: (words: string) => Promise<string>
  ended: Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>
}

/** Runs one of the sources as a separate process, with only the given environment. */
export function run (script: string, args: string[] = [], env: Record<string, string> = {}): Run {
  const unset = {
    HOST: '', ALLOWED_HOSTS: '', PORT: '0', PREFIX: '', FILES_DIR: '', MAX_SIZE: '', EXPIRATION_MS: '', LOG_LEVEL: ''
  }
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, script), ...args], {
    cwd: root,
    // tsx compiles the sources differently from tap: merged coverage would count every line as covered.
    env: { ...process.env, ...unset, _TAPJS_PROCESSINFO_COVERAGE_: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const outputs = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return {
    child,
    line: words => new Promise((resolve, reject) => {
      let seen = ''
      child.stdout.on('data', data => {
        seen += data
        const found = seen.split('\n').slice(0, -1).find(line => line.includes(words))
        if (found !== undefined) resolve(found)
      })
      child.once('close', () => reject(new Error(`ended without the words "${words}":\n${seen}`)))
    }),
    ended: outputs.then(([stdout, stderr]) => ({ code: child.exitCode, signal: child.signalCode, stdout, stderr }))
  }
}
