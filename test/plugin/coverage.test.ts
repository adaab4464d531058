import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')

/** Programs: importing them runs them. */
const programs = ['src/cli.ts', 'src/demo.ts']

// Coverage counts only loaded files: a file that no test loads would be missing, not uncovered.
t.test('every source file counts for the coverage', async (t) => {
  for (const folder of ['plugin', 'src']) {
    for (const name of await readdir(path.join(root, folder), { recursive: true })) {
      const file = path.posix.join(folder, name.split(path.sep).join('/'))
      if (!file.endsWith('.ts') || programs.includes(file)) continue
      await t.resolves(import(pathToFileURL(path.join(root, file)).href), file)
    }
  }
  for (const program of programs) {
    t.match(await readFile(path.join(root, program), 'utf8'), /process\.exitCode =/, `${program} is still a program`)
  }
})
