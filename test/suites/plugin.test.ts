import '../clients.test.ts'
import '../cors-app.test.ts'
import '../cors.test.ts'
import '../extensions.test.ts'
import '../limits.test.ts'
import '../location.test.ts'
import '../lockers.test.ts'
import '../plugin.test.ts'
import '../server-options.test.ts'
import '../settings.test.ts'
import '../shutdown.test.ts'
import { readFile, readdir } from 'node:fs/promises'
import t from 'tap'

// A process takes seconds to compile the plugin before its first test: hence few of them, each with many files.
t.test('every test file is a part of a suite', async (t) => {
  const test = new URL('..', import.meta.url)
  const suites = await Promise.all((await readdir(import.meta.dirname)).map((name) =>
    readFile(new URL(name, import.meta.url), 'utf8')))
  for (const name of await readdir(test, { recursive: true })) {
    const isPart = name.endsWith('.test.ts') && !/^(suites|faults|browser)\//.test(name)
    if (isPart) t.ok(suites.some((suite) => suite.includes(`'../${name}'`)), name)
  }
})
