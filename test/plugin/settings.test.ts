import { readFile } from 'node:fs/promises'
import path from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import fastifyTus, { FileStore, MemoryLocker } from '../../plugin/index.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import { temporaryDirectory } from '../helper.ts'

type Loose = Record<string, unknown>

async function register (t: Test, options: Loose): Promise<void> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(fastifyTus, { prefix: '/files', ...options } as FastifyTusOptions)
  await app.ready()
}

const MAX_TIMER = 2 ** 31 - 1
const directory = t.testdir()

/** Invalid values for each option. */
const wrong: Array<[option: string, values: Loose[]]> = [
  ['lockTimeout', numbers('lockTimeout')],
  ['idleTimeout', [...numbers('idleTimeout'), { idleTimeout: MAX_TIMER + 1 }]],
  ['progressInterval', numbers('progressInterval')],
  ['minRate', numbers('minRate')],
  ['maxUploads', [...numbers('maxUploads'), { maxUploads: 0 }, { maxUploads: 10 }]],
  ['perClient.maxUploads', [{}, { extensions: { expiration: false } }]
    .map((more) => ({ perClient: { maxUploads: 10 }, ...more }))],
  ['perClient', [null, 10, 'request.ip'].map((perClient) => ({ perClient }))],
  ['perClient.key', ['ip', null, 1].map((key) => ({ perClient: { key } }))],
  ['perClient.maxUploads', [-1, 0, 1.5, '60'].map((maxUploads) => ({ perClient: { maxUploads } }))],
  ['perClient.maxBody', [{ perClient: { maxBody: 1 } as never }]],
  ['perClient.maxBodies', [-1, 0, 1.5, '60'].map((maxBodies) => ({ perClient: { maxBodies } }))],
  ['maxSize', [...numbers('maxSize'), { maxSize: 0 }, { maxSize: Infinity }]],
  ['relativeLocation', flags('relativeLocation')],
  ['schemaHide', flags('schemaHide')],
  ['resumableUpload', flags('resumableUpload')],
  ['interimResponses', flags('interimResponses')],
  ['allowedTypes', ['video/mp4', [], [1], ['mp4'], ['*/*'], null].map((allowedTypes) => ({ allowedTypes }))],
  ['download', flags('download')],
  ['download.growing', ['yes', 1, null].map((growing) => ({ download: { growing } }))],
  ['download.grow', [{ download: { grow: true } }]],
  ['download.inline', ['video/mp4', [1], ['mp4'], ['*/*'], ['text/plain; charset=utf-8'], ['text/CSS'], null]
    .map((inline) => ({ download: { inline } }))],
  ['download.redirect', ['https://cdn.example', true].map((redirect) => ({ download: { redirect } }))],
  ['download.crossOriginResourcePolicy', ['none', true, null]
    .map((crossOriginResourcePolicy) => ({ download: { crossOriginResourcePolicy } }))],
  ['disableTerminationForFinishedUploads', flags('disableTerminationForFinishedUploads')],
  ['publicUrl', [
    '', 'files', 'ftp://example.com', '//example.com/files', 'https://', 'https:///files', '/files?a=1', '/files#a',
    'https://example.com?a', '/my files', 7, null
  ].map((publicUrl) => ({ publicUrl }))],
  ['locker', [null, 'memory', {}, { newLock: true }].map((locker) => ({ locker }))],
  ...[
    'authorize', 'namingFunction', 'onProgress', 'onUploadCreate', 'onUploadExpire', 'onUploadFinish',
    'onUploadTerminate'
  ].map((name): [string, Loose[]] => [name, ['a name', {}, null].map((value) => ({ [name]: value }))]),
  ['expiration', [{ expiration: 3600_000 }, { expiration: null }]],
  ['expiration.period', [{ expiration: {} }, ...[0, -1, 1.5, '60'].map((period) => ({ expiration: { period } }))]],
  ['expiration.sweepInterval', [-1, 1.5, '60', MAX_TIMER + 1]
    .map((sweepInterval) => ({ expiration: { period: 1, sweepInterval } }))],
  ['expiration.sliding', ['yes', 1, null].map((sliding) => ({ expiration: { period: 1, sliding } }))],
  ['expiration.perod', [{ expiration: { perod: 1, period: 1 } }]],
  ['extensions', [true, null, 'creation'].map((extensions) => ({ extensions }))],
  ['extensions.checksums', [{ extensions: { checksums: true } }]],
  ['extensions.checksum', ['yes', 1, null].map((checksum) => ({ extensions: { checksum } }))],
  ['cors', ['*', 1, null].map((cors) => ({ cors }))],
  ['cors.origin', ['https://a.example', true, [1], null].map((origin) => ({ cors: { origin } }))],
  ['cors.credentials', [
    { cors: { origin: ['https://a.example'], credentials: 'yes' } },
    // Browsers ignore credentials with `*`, so the combination is refused.
    { cors: { credentials: true } },
    { cors: { origin: '*', credentials: true } }
  ]],
  ['cors.maxAge', [-1, 1.5, '60'].map((maxAge) => ({ cors: { maxAge } }))],
  ['cors.allowedHeaders', ['X-A', [1], null].map((allowedHeaders) => ({ cors: { allowedHeaders } }))],
  ['cors.exposedHeaders', ['X-A', [1], null].map((exposedHeaders) => ({ cors: { exposedHeaders } }))],
  ['cors.origins', [{ cors: { origins: ['https://a.example'] } }]],
  ['durability', ['always', true, null].map((durability) => ({ durability }))]
]

function numbers (name: string): Loose[] {
  return [-1, 1.5, NaN, '60', null].map((value) => ({ [name]: value }))
}

function flags (name: string): Loose[] {
  return ['yes', 1, null].map((value) => ({ [name]: value }))
}

for (const [option, values] of wrong) {
  t.test(`an invalid option "${option}" is refused at registration, with its name`, async (t) => {
    for (const value of values) {
      await t.rejects(register(t, { directory, ...value }), {
        code: 'FST_TUS_INVALID_OPTION',
        message: new RegExp(`^fastify-tus: option "${option}" `)
      }, JSON.stringify(value))
    }
  })
}

t.test('exactly one store is required, and it must be valid', async (t) => {
  const datastore = new FileStore({ directory })
  const invalid = (message: RegExp) => ({ code: 'FST_TUS_INVALID_OPTION', message })
  await t.rejects(register(t, {}), invalid(/"directory" must be a path, or "datastore" a store/))
  await t.rejects(register(t, { directory: '' }), invalid(/"directory" must be a path/))
  await t.rejects(register(t, { directory: 7 }), invalid(/"directory" must be a path/))
  await t.rejects(register(t, { directory, datastore }), invalid(/"directory" and "datastore" cannot be combined/))
  await t.rejects(register(t, { datastore: null }), invalid(/"datastore" must be a store/))
  await t.rejects(register(t, { datastore: 's3' }), invalid(/"datastore" must be a store/))
  await t.rejects(register(t, { datastore, durability: 'none' }), invalid(/"durability" applies to the default store/))

  const methods = ['create', 'write', 'getUpload', 'remove', 'declareUploadLength']
  const store = { extensions: [], ...Object.fromEntries(methods.map((name) => [name, () => {}])) }
  for (const method of methods) {
    await t.rejects(register(t, { datastore: { ...store, [method]: undefined } }),
      invalid(new RegExp(`"datastore" must have a method "${method}"`)))
  }
  await t.rejects(register(t, { datastore: { ...store, extensions: undefined } }),
    invalid(/"datastore" must have a Set "capabilities" or a list "extensions"/))
})

t.test('every valid option is accepted', async (t) => {
  const right: Loose[] = [
    ...[0, 1, MAX_TIMER].flatMap((ms) => [{ lockTimeout: ms }, { idleTimeout: ms }, { progressInterval: ms }]),
    ...[1, Number.MAX_SAFE_INTEGER, () => 1].map((maxSize) => ({ maxSize })),
    ...['/', '/files', '/files/', 'http://example.com', 'https://example.com:8080/a/b/', 'https://[::1]/files']
      .map((publicUrl) => ({ publicUrl })),
    ...[true, false].flatMap((flag) => [
      { relativeLocation: flag }, { download: flag }, { disableTerminationForFinishedUploads: flag }, { cors: flag }
    ]),
    ...['none', 'finished', 'every-append'].map((durability) => ({ durability })),
    { locker: new MemoryLocker() },
    { allowedTypes: ['video/*', 'image/PNG'] },
    { download: {} },
    { download: { growing: true, redirect: () => undefined } },
    { download: { inline: [], crossOriginResourcePolicy: 'same-site' } },
    { download: { inline: ['Video/*', 'image/svg+xml'] } },
    { expiration: { period: 2 ** 40 } },
    { expiration: { period: 1, sweepInterval: 0, sliding: false } },
    { extensions: {} },
    { extensions: { creation: true, checksum: false, expiration: false, termination: undefined } },
    { cors: {} },
    { cors: { origin: '*', credentials: false, maxAge: 0, allowedHeaders: ['X-A'], exposedHeaders: ['X-B'] } },
    { cors: { origin: [], credentials: true } },
    { cors: { origin: () => true, credentials: true } },
    ...[true, false].map((interimResponses) => ({ resumableUpload: true, interimResponses })),
    { authorize () {}, onUploadCreate () {}, onUploadFinish () {}, onUploadTerminate () {}, onUploadExpire () {} },
    { onProgress () {}, namingFunction: () => 'id' }
  ]
  for (const options of right) {
    const directory = await temporaryDirectory(t)
    await t.resolves(register(t, { directory, ...options }), JSON.stringify(options))
  }
})

t.test('an invalid directory is refused at registration', async (t) => {
  const directory = path.join(t.testdir({ taken: 'a file' }), 'taken')
  const refused = { code: 'FST_TUS_DIRECTORY', message: /option "directory"/ }
  await t.rejects(register(t, { directory }), refused)
  await t.rejects(register(t, { directory: path.join(directory, 'below') }), refused)
  t.throws(() => new FileStore({ directory }), refused)
  t.equal(await readFile(directory, 'utf8'), 'a file', 'and existing files stay')
})
