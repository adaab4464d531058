import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript'

const plugin = path.join(import.meta.dirname, '../../plugin')

/** The plugin as it is published, without the types. */
async function compile (directory: string): Promise<void> {
  const compilerOptions: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    verbatimModuleSyntax: true,
    rewriteRelativeImportExtensions: true
  }
  for (const name of await readdir(plugin, { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const { outputText } = ts.transpileModule(await readFile(path.join(plugin, name), 'utf8'), { compilerOptions })
    const file = path.join(directory, name.replace(/ts$/, 'js'))
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, outputText)
  }
}

t.test('require() gives the plugin, with everything else on it', async (t) => {
  const directory = t.testdir({ 'package.json': '{ "type": "module" }', uploads: {} })
  await compile(directory)
  const script = `
    const fastifyTus = require(${JSON.stringify(path.join(directory, 'index.js'))})
    const app = require('fastify')()
    app.register(fastifyTus, { prefix: '/files', directory: ${JSON.stringify(path.join(directory, 'uploads'))} })
    app.inject({ method: 'OPTIONS', url: '/files' }).then(({ statusCode }) => {
      const same = [fastifyTus.default, fastifyTus.fastifyTus].every((one) => one === fastifyTus)
      console.log(JSON.stringify({ type: typeof fastifyTus, same, statusCode }))
    })`
  // Not under the loaders of the test runner, which do not let an ES module be required.
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script], { cwd: directory, env })
  t.same(JSON.parse(stdout), { type: 'function', same: true, statusCode: 204 })
})
