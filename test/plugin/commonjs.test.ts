import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import ts from 'typescript'
import * as exported from '../../plugin/index.ts'

const plugin = path.join(import.meta.dirname, '../../plugin')

/** The published form of the plugin, without the types. */
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

t.test('require() returns every export, and an app registers the result', async (t) => {
  const directory = t.testdir({ 'package.json': '{ "type": "module" }', uploads: {} })
  await compile(directory)
  const script = `
    const tus = require(${JSON.stringify(path.join(directory, 'index.js'))})
    const app = require('fastify')()
    app.register(tus, { prefix: '/files', directory: ${JSON.stringify(path.join(directory, 'uploads'))} })
    app.inject({ method: 'OPTIONS', url: '/files' }).then(({ statusCode }) => {
      console.log(JSON.stringify({ names: Object.keys(tus), statusCode }))
    })`
  // Without the loaders of the test runner, which prevent require() of an ES module.
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script], { cwd: directory, env })
  const { names, statusCode } = JSON.parse(stdout) as { names: string[], statusCode: number }
  t.same(new Set(names), new Set([...Object.keys(exported), '__esModule']))
  t.equal(statusCode, 204)
})

t.test('the types for require() declare every exported value and class, and no other', async (t) => {
  const declarations = await readFile(path.join(plugin, '../commonjs/index.d.cts'), 'utf8')
  const namesAfter = (keywords: string) =>
    [...declarations.matchAll(new RegExp(`^export ${keywords} (\\w+)`, 'gm'))].map(([, name]) => name).sort()
  const isClass = (value: unknown) => typeof value === 'function' && /^class\b/.test(String(value))
  const { default: registered, ...values } = exported
  t.same(namesAfter('declare const'), Object.keys(values).sort())
  t.same(namesAfter('type'), Object.entries(values).filter(([, value]) => isClass(value)).map(([name]) => name).sort())
  t.equal(registered, exported.fastifyTus)
  t.same(namesAfter('default'), ['fastifyTus'])
})
