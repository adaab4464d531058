/** The pages of `docs/reference/` against the source: a missing or stale entry fails. */
import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import t from 'tap'
import ts from 'typescript'
import { resolveEngines } from '../../plugin/engines.ts'
import { RedisLocker } from '../../plugin/locks/redis/index.ts'
import { S3Store } from '../../plugin/stores/s3/index.ts'
import * as exported from '../../plugin/index.ts'
import { INLINE_TYPES } from '../../plugin/media-types.ts'
import { extensionNames } from '../../plugin/options.ts'
import type { FastifyTusOptions } from '../../plugin/options.ts'
import { nameHeaders } from '../../plugin/protocols/tus-v1/error-text.ts'
import { resolveSettings } from '../../plugin/settings.ts'
import { capabilityNames } from '../../plugin/types.ts'
import { uploadEventNames } from '../../plugin/uploads/events/events.ts'
import app from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { settings } from '../../src/settings.ts'
import type { Setting } from '../../src/settings.ts'

const { errors, FileStore } = exported

type Loose = Record<string, unknown>

const root = new URL('../../', import.meta.url)

const page = (name: string): Promise<string> => readFile(new URL(`docs/reference/${name}.md`, root), 'utf8')

/** The sections of a page with a name in backticks as their heading. */
async function sections (name: string): Promise<Map<string, string>> {
  const [, ...parts] = (await page(name)).split(/^#+ /m)
  return new Map(parts.flatMap((part) => {
    const [, heading, text] = /^`([\w.]+)`\n(.*)$/s.exec(part) ?? []
    return heading === undefined ? [] : [[heading, text as string]]
  }))
}

/** The cells of all rows of the tables in a text, without the headings. */
function rows (text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, row]) => (row as string).split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter((cells, i, all) => !isRule(cells) && !isRule(all[i + 1] ?? []))
}

/** The rows of the tables below a heading. */
async function rowsBelow (name: string, heading: string): Promise<string[][]> {
  const [, text = ''] = (await page(name)).split(new RegExp(`^#+ ${heading}$`, 'm'))
  return rows(text.split(/^#+ /m)[0] as string)
}

const isRule = (cells: string[]): boolean => cells[0] === '---'

/** The names in backticks of a cell: `a(b)` and `c` are a and c. */
function namesIn (cell: string): string[] {
  return [...cell.matchAll(/`([\w-]+)(?:\([^`]*\))?`/g)].map(([, name]) => name as string)
}

const withoutTicks = (cell: string): string => cell.replace(/^`(.*)`$/, '$1')

/** The names of the properties that a function reads from an object. */
function namesRead (read: (object: object) => unknown): string[] {
  const names = new Set<string>()
  const recorder = new Proxy({}, {
    get (_target, name) {
      names.add(String(name))
    }
  })
  try {
    read(recorder)
  } catch {
    // An option that is required is missing.
  }
  return [...names]
}

const settle = (options: object) => resolveSettings(options as FastifyTusOptions)

const engine = (options: object) => resolveEngines(options as FastifyTusOptions)

/** The members of an interface in `plugin/types.ts`. */
async function membersOf (name: string): Promise<string[]> {
  const text = await readFile(new URL('plugin/types.ts', root), 'utf8')
  const interfaces = ts.createSourceFile('types.ts', text, ts.ScriptTarget.Latest).statements
    .filter((statement) => ts.isInterfaceDeclaration(statement))
  const members = interfaces.find((declared) => declared.name.text === name)?.members ?? []
  return members.map((member) => (member.name as ts.Identifier).text)
}

/** Options of Fastify that the plugin accepts. */
const ofFastify = ['prefix', 'logLevel', 'logSerializers']

const groups: Record<string, (object: object) => unknown> = {
  perClient: (perClient) => settle({ perClient }),
  expiration: (expiration) => settle({ expiration }),
  download: (download) => settle({ download }),
  cors: (cors) => settle({ cors })
}

t.test('every option and hook that the plugin reads is documented, and no other', async (t) => {
  const read = new Set([...namesRead(settle), ...namesRead(engine), ...ofFastify])
  const documented = [...(await sections('options')).keys()].filter((name) => !name.includes('.'))
  const hooks = [...(await sections('hooks')).keys()]
  const mentioned = ofFastify.slice(1)
  for (const name of mentioned) t.match(await page('options'), `\`${name}\``)
  t.same([...documented, ...hooks, ...mentioned].sort(), [...read].sort())
  t.same(hooks.sort(), (await membersOf('FastifyTusHooks')).sort())
})

for (const [group, read] of Object.entries(groups)) {
  t.test(`every option in "${group}" is documented, and no other`, async (t) => {
    const documented = [...(await sections('options')).keys()].filter((name) => name.startsWith(`${group}.`))
    t.same(documented.sort(), namesRead(read).map((name) => `${group}.${name}`).sort())
  })
}

t.test('the documented defaults are those of the plugin', async (t) => {
  const settled = settle({ expiration: { period: 1 } }) as unknown as Loose
  const defaults: Loose = { ...settled, durability: new FileStore({ directory: t.testdir() }).durability }
  // An object says how uploads are served.
  const isOn = ['download', 'cors']
  const compared = []
  for (const [name, text] of await sections('options')) {
    t.match(text, /^\n- Type: `/, `${name} has a type`)
    const [, documented = ''] = /^- Default: (.*?)(?:;.*)?$/m.exec(text) ?? []
    t.not(documented, '', `${name} has a default`)
    const isNone = documented === 'no limit'
    const [, code] = /^`(.*)`$/.exec(documented) ?? []
    if (!isNone && (code === undefined || code === 'request.ip')) continue
    const actual = name.split('.').reduce<unknown>((object, key) => (object as Loose)[key], defaults)
    const expected = isNone ? Infinity : JSON.parse((code as string).replaceAll('\'', '"'))
    t.same(isOn.includes(name) ? actual !== undefined : actual, expected, name)
    compared.push(name)
  }
  for (const [name, value] of Object.entries(defaults)) {
    if (['number', 'boolean'].includes(typeof value)) t.ok(compared.includes(name), `${name} has a documented default`)
  }
  t.ok(compared.includes('expiration.sweepInterval') && compared.includes('cors.maxAge'))
})

t.test('the options list every extension and every media type that is shown', async (t) => {
  const options = await sections('options')
  for (const name of extensionNames) t.match(options.get('extensions'), `\`${name}\``)
  const shown = options.get('download.inline')?.split('The default is:')[1] ?? ''
  t.same([...shown.matchAll(/`(.*?)`/g)].map(([, type]) => type).sort(), [...INLINE_TYPES].sort())
})

t.test('the errors are those of the plugin, with their status and their text', async (t) => {
  // They reject `app.ready()`: no client sees a status.
  const registration = ['FST_TUS_INVALID_OPTION', 'FST_TUS_DIRECTORY', 'FST_TUS_BUCKET']
  const expected = Object.values(errors).map((TusError) => {
    const values = new TusError().message.match(/%s/g)?.map(() => '…') ?? []
    const { code, statusCode, message } = nameHeaders(new TusError(...values))
    return [code, registration.includes(code) ? '–' : String(statusCode), message]
  })
  const documented = rows(await page('errors')).map(([code = '', status = '', message = '']) => {
    return [withoutTicks(code), status.replace(/ or .*/, ''), withoutTicks(message)]
  })
  t.same(documented.sort(), expected.sort())
})

t.test('the pages name no error that does not exist', async (t) => {
  const codes = Object.values(errors).map((TusError) => new TusError().code)
  for (const name of ['options', 'hooks', 'errors', 'server', 'events', 'stores', 'lockers']) {
    for (const [code] of (await page(name)).matchAll(/FST_TUS_\w+/g)) t.ok(codes.includes(code), `${name}: ${code}`)
  }
})

t.test('the settings of the server are those of the command, with their flags and defaults', async (t) => {
  const expected = Object.entries<Setting>(settings).map(([name, { flag, schema }]) => {
    return [name, flag === undefined ? '' : `--${flag}`, String(schema.default)]
  })
  const documented = (await rowsBelow('server', 'Settings')).map((cells) => cells.slice(0, 3).map(withoutTicks))
  t.same(documented, expected)
})

t.test('the routes of the server are those of the app', async (t) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const urls = new Set<string>()
  fastify.addHook('onRoute', ({ url }) => { urls.add(url) })
  const config = readConfig({ FILES_DIR: t.testdir({ empty: {} }) })
  await fastify.register(app, { config, client: `${t.testdirName}/empty` })
  const isUpload = (url: string) => url.startsWith(config.prefix)
  const documented = (await rowsBelow('server', 'Routes')).map(([cell = '']) => /^`GET (\/[^?`]*)/.exec(cell)?.[1])
  t.same(documented.filter(Boolean).sort(), [...urls].filter((url) => !isUpload(url)).sort())
})

t.test('the events are those that are published', async (t) => {
  const documented = rows(await page('events')).map(([channel = '']) => withoutTicks(channel))
  t.same(documented.sort(), uploadEventNames.map((name) => `fastify-tus:upload:${name}`).sort())
})

t.test('the capabilities of stores are those that the plugin knows, with the methods that it requires', async (t) => {
  const documented = (await rowsBelow('stores', 'What a store can do')).map(([name = '', , methods = '']) => {
    return [withoutTicks(name), namesIn(methods)] as const
  })
  t.same(documented.map(([name]) => name).sort(), [...capabilityNames].sort())
  for (const [capability, methods] of documented) {
    const register = (names: string[]) => {
      const present = ['create', 'getUpload', 'remove', 'openAppend', ...names].map((name) => [name, () => {}])
      const datastore = { ...Object.fromEntries(present) as object, capabilities: new Set([capability]) }
      engine({ datastore }).release()
    }
    t.doesNotThrow(() => register(methods), capability)
    for (const method of methods.filter((name) => name !== 'openAppend')) {
      // One of the two is enough.
      const others = capability === 'expiration' ? [] : methods.filter((name) => name !== method)
      const message = new RegExp(`"${method}".* for "${capability}"`)
      t.throws(() => register(others), { message }, `${capability} needs ${method}`)
    }
  }
})

t.test('the members of stores and appends are those of the contract', async (t) => {
  const methods = (await rowsBelow('stores', 'Methods')).flatMap(([cell = '']) => namesIn(cell))
  const described = [...methods, 'capabilities', 'extensions', 'retainsBuffers']
  // Never called: it is a part of the contract of `@tus/server`.
  const contract = (await membersOf('DataStore')).filter((name) => name !== 'deleteExpired')
  t.same(described.sort(), contract.sort())
  for (const name of described) t.match(await page('stores'), `\`${name}`)
  const append = (await rowsBelow('stores', 'Appends')).flatMap(([cell = '']) => namesIn(cell))
  t.same(append.sort(), (await membersOf('Append')).sort())
})

t.test('the members of lockers and locks are those of the contract', async (t) => {
  const [, contract = ''] = (await page('lockers')).split('\n## Contract\n')
  const documented = rows(contract).flatMap(([cell = '']) => namesIn(cell))
  t.same([...documented, 'newLock'].sort(), [...await membersOf('Lock'), ...await membersOf('Locker')].sort())
  t.match(await page('lockers'), '`newLock(id)`')
})

t.test('each store and each locker that is exported has a section', async (t) => {
  for (const [kind, name] of [['Store', 'stores'], ['Locker', 'lockers']] as const) {
    const classes = Object.keys({ ...exported, RedisLocker, S3Store }).filter((key) => key.endsWith(kind))
    const text = await page(name)
    const constructed = [...text.matchAll(/^## (\w+)\n\n`new (\w+)\(/gm)].map(([, heading, name]) => `${heading} ${name}`)
    t.same(constructed.sort(), classes.map((key) => `${key} ${key}`).sort(), name)
  }
})
