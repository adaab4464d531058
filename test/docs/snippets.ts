/** Runs the snippets of the Markdown pages. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import ts from 'typescript'
import type { LogLine } from '../helper.ts'
import { root, snippetsOf } from './pages.ts'

/** The entry points of the package. */
const entries = {
  'fastify-tus': 'plugin/index.ts',
  'fastify-tus/redis': 'plugin/locks/redis/index.ts',
  'fastify-tus/s3': 'plugin/stores/s3/index.ts'
}

// Without types, snippets run on every version of Node.js.
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true
}

/** The code of a snippet, by its page and the name in its first comment. */
export async function snippet (page: string, name: string): Promise<string> {
  const found = (await snippetsOf(page)).find((snippet) => snippet.name === name)
  if (found === undefined) throw new Error(`${page} has no snippet ${name}`)
  return found.code
}

/** A snippet without its comments. */
export function withoutComments (code: string): string {
  return code.replace(/^\s*\/\/.*\n/gm, '').replace(/ +\/\/ .*$/gm, '')
}

export interface Imported {
  exports: Record<string, unknown>
  /** A directory for the uploads, in place of `./files`. */
  directory: string
  /** What the snippet wrote to the console. */
  printed: string[]
}

/** Changes the code of a snippet before it runs; `directory` replaces `./files`. */
export type Adapt = (code: string, directory: string) => string

function fromSources (code: string): string {
  return Object.entries(entries).reduce((changed, [name, file]) => {
    return changed.replace(`from '${name}'`, `from '${pathToFileURL(path.join(root, file)).href}'`)
  }, code)
}

const unchanged: Adapt = (code) => code

/** Imports a snippet; other snippets of its page are in the same folder. */
export async function importSnippet (t: Test, page: string, name: string, adapt = unchanged): Promise<Imported> {
  const folder = t.testdir({ files: {} })
  const directory = path.join(folder, 'files')
  await mkdir(path.join(folder, 'snippets'))
  const toFile = (name: string) => path.join(folder, 'snippets', name.replace(/\.ts$/, '.js'))
  for (const { name, language, code } of await snippetsOf(page)) {
    if (name === undefined || (language !== 'js' && language !== 'ts')) continue
    const adapted = fromSources(adapt(code, directory))
      .replace('\'./files\'', JSON.stringify(directory))
    const quiet = `export const printed = []
      const console = { log: (text) => { printed.push(text) }, error: (text) => { printed.push(text) } }\n`
    await writeFile(toFile(name), ts.transpileModule(quiet + adapted, { compilerOptions }).outputText)
  }
  const exports = await import(pathToFileURL(toFile(name)).href) as Record<string, unknown>
  return { exports, directory, printed: exports.printed as string[] }
}

export interface Running {
  app: FastifyInstance
  directory: string
  logs: LogLine[]
  exports: Record<string, unknown>
}

/**
 * Runs a snippet that makes an app. It is unchanged, except for the package, which is the sources here, its directory,
 * its log, and that it does not listen.
 */
export async function runSnippet (t: Test, page: string, name: string, adapt = unchanged): Promise<Running> {
  const { exports, directory } = await importSnippet(t, page, name, (code, directory) => adapt(code, directory)
    .replace('logger: true', 'logger: { stream: { write: (line) => { logs.push(JSON.parse(line)) } } }')
    .replace(/await app\.listen\(.*\)/, 'export { app }\nexport const logs = []'))
  const app = exports.app as FastifyInstance
  t.teardown(() => app.close())
  await app.ready()
  return { app, directory, logs: exports.logs as LogLine[], exports }
}
