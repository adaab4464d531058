import Fastify from 'fastify'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RegisterOptions } from 'fastify'
import { expect, test } from 'tstyche'
import fastifyTus, { errors, TUS_METHODS, TUS_REQUEST_HEADERS, TUS_RESPONSE_HEADERS } from '../../plugin/index.ts'
import { fastifyTus as named } from '../../plugin/index.ts'
import type { FastifyTusOptions } from '../../plugin/index.ts'

const app = Fastify()

test('the default and the named export are the plugin', () => {
  expect(fastifyTus).type.toBe<FastifyPluginAsync<FastifyTusOptions>>()
  expect(named).type.toBe<FastifyPluginAsync<FastifyTusOptions>>()
})

test('it is registered like any plugin, on any type of server', () => {
  expect(app.register).type.toBeCallableWith(fastifyTus, { prefix: '/files', directory: './files' })
  expect(app.register).type.toBeCallableWith(named, { prefix: '/files', directory: './files' })
  expect(Fastify({ http2: true }).register).type.toBeCallableWith(fastifyTus, { directory: './files' })
  expect(Fastify({ https: {} }).register).type.toBeCallableWith(fastifyTus, { directory: './files' })
})

test('options in a variable can be registered', () => {
  expect<FastifyTusOptions>().type.toBeAssignableTo<RegisterOptions & FastifyTusOptions>()
  expect(app.register).type.toBeCallableWith(fastifyTus, {} as FastifyTusOptions)
  expect(app.register).type.toBeCallableWith(fastifyTus, { ...{} as FastifyTusOptions, logLevel: 'warn' })
})

test('all options are accepted', () => {
  expect({
    prefix: '/files',
    directory: './files',
    durability: 'every-append' as const,
    lockTimeout: 1,
    idleTimeout: 1,
    minRate: 1,
    maxUploads: 1,
    perClient: { key: ({ ip }: FastifyRequest) => ip, maxUploads: 1, maxBodies: 1 },
    maxSize: 1,
    allowedTypes: ['video/*'],
    namingFunction: () => 'id',
    relativeLocation: false,
    publicUrl: 'https://example.com/files',
    extensions: { concatenation: false, 'checksum-trailer': false },
    expiration: { period: 1, sweepInterval: 1, sliding: false },
    download: false,
    cors: { origin: ['https://example.com'], credentials: true, maxAge: 1, allowedHeaders: [''], exposedHeaders: [''] },
    disableTerminationForFinishedUploads: true,
    progressInterval: 1,
    schemaHide: false,
    resumableUpload: true,
    interimResponses: false
  }).type.toBeAssignableTo<FastifyTusOptions>()
  expect({ download: { growing: true, inline: ['video/*'], crossOriginResourcePolicy: 'same-site' as const } })
    .type.toBeAssignableTo<FastifyTusOptions>()
  expect({ cors: true }).type.toBeAssignableTo<FastifyTusOptions>()
  expect({ cors: { origin: '*' as const } }).type.toBeAssignableTo<FastifyTusOptions>()
  expect({ cors: { origin: (origin: string) => origin !== '' } }).type.toBeAssignableTo<FastifyTusOptions>()
})

test('invalid options are errors', () => {
  const { register } = app
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: 7 })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', durability: 'always' })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', maxSize: '1 GB' })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', maxsize: 1 })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', perClient: { maxUpload: 1 } })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', expiration: {} })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', expiration: 1 })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', cors: '*' })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', cors: { origin: 'https://a' } })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', datastore: {} })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', locker: 'memory' })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', extensions: { concat: true } })
  expect(register).type.not.toBeCallableWith(fastifyTus, { directory: './files', logLevel: 'loud' })
})

test('the types of Fastify are not augmented', () => {
  expect<FastifyInstance>().type.not.toHaveProperty('tus')
  expect<FastifyRequest>().type.not.toHaveProperty('upload')
})

test('the errors and the lists for CORS are exported', () => {
  const error = new errors.NotFound()
  expect(error.statusCode).type.toBe<number>()
  expect(error).type.toBeAssignableTo<Error>()
  expect(TUS_METHODS).type.toBeAssignableTo<readonly string[]>()
  expect(TUS_REQUEST_HEADERS).type.toBeAssignableTo<readonly string[]>()
  expect(TUS_RESPONSE_HEADERS).type.toBeAssignableTo<readonly string[]>()
})
