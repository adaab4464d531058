import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import ts from 'typescript'

const exec = promisify(execFile)
const root = path.join(import.meta.dirname, '../..')
// Without the loaders of the test runner, which prevent require() of an ES module.
const env = { ...process.env, NODE_OPTIONS: '' }

const consumer = `import Fastify from 'fastify'
import tus, { errors, FileStore, fastifyTus, MemoryLocker, TUS_METHODS, type Upload } from 'fastify-tus'
import { RedisLocker, type RedisClient } from 'fastify-tus/redis'
import { S3Store } from 'fastify-tus/s3'

class Store extends FileStore {}
const store: FileStore = new Store({ directory: './files' })
const locker: MemoryLocker = new MemoryLocker()
const app = Fastify()
app.register(tus, {
  datastore: store,
  locker,
  async onUploadFinish (request, upload: Upload) {
    if (upload.size === 0) throw new errors.TooLarge()
    request?.log.info(upload.id)
  }
})
app.register(fastifyTus, { directory: './files', cors: { origin: ['https://app.example'] } })
// @ts-expect-error: without types, anything would do.
app.register(tus, { directory: 1 })
export const lockerFor = (client: RedisClient): RedisLocker => new RedisLocker({ client, ttl: 30_000 })
// @ts-expect-error: without types, anything would do.
export const wrong = new RedisLocker({ client: 1 })
export const videos: S3Store = new S3Store({ bucket: 'videos', prefix: 'a/' })
// @ts-expect-error: without types, anything would do.
export const none = new S3Store({ bucket: 1 })
export const methods: string[] = [...TUS_METHODS]
`

/** Module resolutions of TypeScript, and the format of the importing file. */
const resolvers: [name: string, type: 'commonjs' | 'module', options: ts.CompilerOptions][] = [
  ['node10', 'commonjs', {
    module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10, ignoreDeprecations: '6.0'
  }],
  ['node16 in CommonJS', 'commonjs', { module: ts.ModuleKind.Node16 }],
  ['node16 in a module', 'module', { module: ts.ModuleKind.Node16 }],
  ['nodenext in CommonJS', 'commonjs', { module: ts.ModuleKind.NodeNext }],
  ['bundler', 'module', { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }]
]

/**
 * Unpacks the files that npm would publish so that a project in the directory finds them. Dependencies are those of the
 * clone.
 */
async function install (directory: string): Promise<string> {
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory]
  const { stdout } = await exec('npm', pack, { cwd: root })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  const installed = path.join(directory, 'node_modules/fastify-tus')
  await mkdir(installed, { recursive: true })
  await exec('tar', ['-xzf', path.join(directory, filename), '-C', installed, '--strip-components=1'])
  return installed
}

/** The type errors in a file, and in the types of the package: other types are not checked. */
function typeErrors (file: string, installed: string, options: ts.CompilerOptions): string[] {
  const program = ts.createProgram([file], {
    strict: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: ['node'],
    esModuleInterop: true,
    ...options
  })
  const checked = program.getSourceFiles().filter(({ fileName }) => fileName === file || fileName.startsWith(installed))
  const found = [...program.getOptionsDiagnostics(), ...checked.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)
  ])]
  return found.map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}

async function project (t: Test): Promise<{ directory: string, installed: string }> {
  // Inside the clone, so that its node_modules are found.
  const directory = t.testdir()
  return { directory, installed: await install(directory) }
}

t.test('the packed package', async (t) => {
  const { directory, installed } = await project(t)

  await t.test('require() returns every export that import returns', async (t) => {
    const script = `
      const required = require('fastify-tus')
      import('fastify-tus').then((imported) => {
        const names = Object.keys(imported)
        console.log(JSON.stringify({ names, missing: names.filter((name) => required[name] !== imported[name]) }))
      })`
    const { stdout } = await exec(process.execPath, ['--eval', script], { cwd: directory, env })
    const { names, missing } = JSON.parse(stdout) as { names: string[], missing: string[] }
    t.ok(['default', 'FileStore', 'errors', 'TUS_METHODS'].every((name) => names.includes(name)))
    t.same(missing, [])
  })

  await t.test('an app registers the result of require()', async (t) => {
    const script = `
      const app = require('fastify')()
      app.register(require('fastify-tus'), { prefix: '/files', directory: './files' })
      app.inject({ method: 'OPTIONS', url: '/files' }).then(({ statusCode }) => console.log(statusCode))`
    const { stdout } = await exec(process.execPath, ['--eval', script], { cwd: directory, env })
    t.equal(stdout, '204\n')
  })

  for (const [name, type, options] of resolvers) {
    await t.test(`TypeScript finds the types by ${name}`, async (t) => {
      const folder = path.join(directory, name.replaceAll(' ', '-'))
      await mkdir(folder)
      await writeFile(path.join(folder, 'package.json'), JSON.stringify({ type }))
      await writeFile(path.join(folder, 'app.ts'), consumer)
      t.same(typeErrors(path.join(folder, 'app.ts'), installed, options), [])
    })
  }

  await t.test('the commands exist', async (t) => {
    const cli = path.join(installed, 'dist/src/cli.js')
    t.match((await exec(process.execPath, [cli, '--help'], { env })).stdout, /^Usage: fastify-tus/)
    const suite = await exec(process.execPath, [cli, 'conformance', '--help'], { env })
    t.match(suite.stdout, /^Usage: fastify-tus conformance/)
  })

  await t.test('every relative link of the READMEs leads to a file', async (t) => {
    for (const readme of ['README.md', 'README.zh-CN.md']) {
      const text = await readFile(path.join(installed, readme), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
        if (!link.includes(':')) t.ok(existsSync(path.join(installed, link)), `${readme}: ${link}`)
      }
    }
  })

  await t.test('the package has no tests, and no unreferenced maps or types', async (t) => {
    const names = await readdir(installed, { recursive: true })
    t.same(names.filter((name) => /\.test\.|demo|tsbuildinfo|\.d\.ts\.map$/.test(name)), [])
    t.same(names.filter((name) => /^dist\/(src|conformance)\/.*(\.map|\.d\.ts)$/.test(name)), [])
  })
})
