import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * Imports every test file below the given folders of `test/`. tap starts a process for each of its files, and each
 * process compiles the plugin first, so a suite runs many test files in one process.
 */
export async function importAll (...folders: string[]): Promise<void> {
  for (const folder of folders) {
    const directory = path.join(import.meta.dirname, '..', folder)
    for (const name of (await readdir(directory, { recursive: true })).sort()) {
      if (name.endsWith('.test.ts')) await import(pathToFileURL(path.join(directory, name)).href)
    }
  }
}
