import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'

const root = new URL('..', import.meta.url)

/** The code of a snippet of a README, by the name of its file: JavaScript, or a script for the shell. */
export async function snippet (name: string, readme = 'README.md'): Promise<string> {
  const text = await readFile(new URL(readme, root), 'utf8')
  const code = [...text.matchAll(/^```(?:js|sh)\n(.*?)^```$/gms)].map(([, code]) => code as string)
    .find((code) => new RegExp(`^(?://|#) ${name.replace('.', '\\.')}\\b`).test(code))
  if (code === undefined) throw new Error(`${readme} has no ${name}`)
  return code
}

/** A snippet without its comments. */
export function withoutComments (code: string): string {
  return code.replace(/^\s*\/\/.*\n/gm, '')
}

/**
 * Runs a snippet of the README unchanged, except for the package, which is the sources here, its directory, its log,
 * and that it does not listen.
 */
export async function runSnippet (t: Test, name: string): Promise<{ app: FastifyInstance, directory: string }> {
  const plugin = new URL('plugin/index.ts', root).href
  const code = (await snippet(name))
    .replace('from \'fastify-tus\'', `from '${plugin}'`)
    .replace('logger: true', 'logger: false')
    .replace(/await app\.listen\(.*\)/, 'export { app }')
  const folder = t.testdir({ files: {}, 'snippet.mjs': code.replace('\'./files\'', JSON.stringify(`${t.testdirName}/files`)) })
  const { app } = await import(pathToFileURL(`${folder}/snippet.mjs`).href) as { app: FastifyInstance }
  t.teardown(() => app.close())
  await app.ready()
  return { app, directory: `${folder}/files` }
}
