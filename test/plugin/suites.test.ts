import { readFile, readdir } from 'node:fs/promises'
import t from 'tap'

/** Run by separate commands: see CONTRIBUTING.md. */
const apart = ['suites', 'faults', 'browser', 'clients', 'package']

t.test('every test file belongs to a suite', async (t) => {
  const test = new URL('../', import.meta.url)
  const suites = await Promise.all((await readdir(new URL('suites', test)))
    .map((name) => readFile(new URL(`suites/${name}`, test), 'utf8')))
  for (const name of await readdir(test, { recursive: true })) {
    const [folder = '', file] = name.split(/[\\/]/)
    if (!name.endsWith('.test.ts') || apart.includes(folder)) continue
    t.ok(file !== undefined && suites.some((suite) => suite.includes(`'${folder}'`)), name)
  }
})
