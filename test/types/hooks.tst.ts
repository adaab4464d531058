import type { FastifyRequest } from 'fastify'
import { expect, test } from 'tstyche'
import type {
  FastifyTusHooks, FastifyTusOptions, FinishResponse, Intent, Upload, UploadMetadata
} from '../../plugin/index.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** As an app decorates it. */
    userOfTheApp: { name: string }
  }
}

test('hooks get the request of the app and the upload', () => {
  const hooks: FastifyTusOptions = {
    authorize (request, intent) {
      expect(request).type.toBe<FastifyRequest>()
      expect(request.userOfTheApp.name).type.toBe<string>()
      expect(intent).type.toBe<Intent>()
      expect(intent.upload).type.toBe<Upload>()
    },
    onUploadCreate (request, upload) {
      expect(request).type.toBe<FastifyRequest>()
      expect(upload).type.toBe<Upload>()
    },
    onUploadTerminate (request, upload) {
      expect(request).type.toBe<FastifyRequest>()
      expect(upload).type.toBe<Upload>()
    },
    onUploadExpire (upload) {
      expect(upload).type.toBe<Upload>()
    },
    onProgress (request, upload) {
      expect(request).type.toBe<FastifyRequest>()
      expect(upload).type.toBe<Upload>()
    },
    namingFunction (request, metadata) {
      expect(request).type.toBe<FastifyRequest>()
      expect(metadata).type.toBe<UploadMetadata>()
      return 'id'
    },
    maxSize (request, metadata) {
      expect(request).type.toBe<FastifyRequest>()
      expect(metadata).type.toBe<UploadMetadata>()
      return 1
    }
  }
  expect(hooks).type.toBeAssignableTo<FastifyTusHooks>()
})

test('onUploadFinish must accept a sweep without a request', () => {
  const options: FastifyTusOptions = {
    onUploadFinish (request, upload) {
      expect(request).type.toBe<FastifyRequest | null>()
      expect(upload).type.toBe<Upload>()
    }
  }
  expect(options.onUploadFinish).type.not.toBe<undefined>()
  expect<{ onUploadFinish: (request: FastifyRequest) => void }>().type.not.toBeAssignableTo<FastifyTusHooks>()
})

test('the action of an intent is one of a fixed list', () => {
  expect<'create' | 'append' | 'inspect' | 'read' | 'terminate' | 'concatenate'>().type.toBeAssignableTo<Intent['action']>()
  expect<string>().type.not.toBeAssignableTo<Intent['action']>()
})

test('hooks return the documented types', () => {
  type Hooks = Required<FastifyTusHooks>
  expect<(request: FastifyRequest) => boolean>().type.toBeAssignableTo<Hooks['authorize']>()
  expect<() => Promise<boolean>>().type.toBeAssignableTo<Hooks['authorize']>()
  expect<() => Promise<void>>().type.toBeAssignableTo<Hooks['authorize']>()
  expect<() => string>().type.not.toBeAssignableTo<Hooks['authorize']>()

  expect<() => { metadata: { name: string, empty: null } }>().type.toBeAssignableTo<Hooks['onUploadCreate']>()
  expect<() => Promise<Record<string, never>>>().type.toBeAssignableTo<Hooks['onUploadCreate']>()
  expect<() => { metadata: { name: number } }>().type.not.toBeAssignableTo<Hooks['onUploadCreate']>()

  expect<() => FinishResponse>().type.toBeAssignableTo<Hooks['onUploadFinish']>()
  expect<() => Promise<void>>().type.toBeAssignableTo<Hooks['onUploadFinish']>()
  expect<() => { statusCode: number, body: string }>().type.toBeAssignableTo<Hooks['onUploadFinish']>()
  expect<() => { statusCode: string }>().type.not.toBeAssignableTo<Hooks['onUploadFinish']>()

  type Naming = Required<FastifyTusOptions>['namingFunction']
  expect<() => Promise<string>>().type.toBeAssignableTo<Naming>()
  expect<() => number>().type.not.toBeAssignableTo<Naming>()
  type MaxSize = Required<FastifyTusOptions>['maxSize']
  expect<() => Promise<number>>().type.toBeAssignableTo<MaxSize>()
  expect<() => string>().type.not.toBeAssignableTo<MaxSize>()
})

test('optional facts of an upload may be undefined', () => {
  expect<Upload['size']>().type.toBe<number | undefined>()
  expect<Upload['offset']>().type.toBe<number>()
  expect<Upload['metadata']>().type.toBe<UploadMetadata | undefined>()
  expect<UploadMetadata['name']>().type.toBe<string | null>()
})
