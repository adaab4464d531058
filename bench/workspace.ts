/** Directories for uploads, in a workspace that is deleted when the process exits. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const workspace = mkdtempSync(path.join(tmpdir(), 'fastify-tus-bench-'))

process.on('exit', () => rmSync(workspace, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

export function newDirectory (): string {
  return mkdtempSync(path.join(workspace, 'store-'))
}

export function removeDirectory (directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}
