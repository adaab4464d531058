import type { Readable } from 'node:stream'
import { FileStore as TusFileStore } from '@tus/file-store'
import { MemoryLocker as TusMemoryLocker } from '@tus/server'
import type {
  DataStore as TusDataStore, KvStore as TusKvStore, Lock as TusLock, Locker as TusLocker, Upload as TusUpload
} from '@tus/server'
import Fastify from 'fastify'
import { expect, test } from 'tstyche'
import fastifyTus, { FileStore, MemoryLocker } from '../../plugin/index.ts'
import type { DataStore, KvStore, Lock, Locker, Upload } from '../../plugin/index.ts'

test('a store of @tus/server is a store of the plugin', () => {
  expect<TusDataStore>().type.toBeAssignableTo<DataStore>()
  expect<TusFileStore>().type.toBeAssignableTo<DataStore>()
  expect<TusKvStore>().type.toBeAssignableTo<KvStore>()
  expect<TusUpload>().type.toBeAssignableTo<Upload>()
  const datastore = new TusFileStore({ directory: './files' })
  expect(Fastify().register).type.toBeCallableWith(fastifyTus, { prefix: '/files', datastore })
})

test('lockers of @tus/server and of the plugin are interchangeable', () => {
  expect<TusMemoryLocker>().type.toBeAssignableTo<Locker>()
  expect<TusLocker>().type.toBeAssignableTo<Locker>()
  expect<TusLock>().type.toBeAssignableTo<Lock>()
  expect<MemoryLocker>().type.toBeAssignableTo<Locker>()
  expect<MemoryLocker>().type.toBeAssignableTo<TusLocker>()
  expect(Fastify().register).type.toBeCallableWith(fastifyTus, { directory: './files', locker: new TusMemoryLocker() })
})

test('FileStore is a store of the plugin and of @tus/server', () => {
  expect<FileStore>().type.toBeAssignableTo<DataStore>()
  expect<FileStore>().type.toBeAssignableTo<TusDataStore>()
  expect(FileStore).type.toBeConstructableWith({ directory: './files' })
  expect(FileStore).type.toBeConstructableWith({ directory: './files', durability: 'none' })
  expect(FileStore).type.not.toBeConstructableWith()
  expect(FileStore).type.not.toBeConstructableWith({ directory: './files', durability: 'always' })
})

test('the app can call FileStore', () => {
  const store = new FileStore({ directory: './files' })
  expect(store.getUpload('id')).type.toBeAssignableTo<Promise<Upload>>()
  expect(store.read('id')).type.toBeAssignableTo<Readable>()
  expect(store.remove('id')).type.toBe<Promise<void>>()
  expect(store.list()).type.toBe<AsyncIterable<string>>()
})

test('a store needs the methods of @tus/server, and fewer with openAppend', () => {
  type Needed =
    'extensions' | 'create' | 'write' | 'getUpload' | 'remove' | 'declareUploadLength' | 'deleteExpired' | 'getExpiration'
  expect<Pick<DataStore, Needed>>().type.toBeAssignableTo<DataStore>()
  expect<Omit<Pick<DataStore, Needed>, 'create'>>().type.not.toBeAssignableTo<DataStore>()
  expect<Pick<DataStore, 'capabilities' | 'create' | 'getUpload' | 'remove' | 'openAppend'>>().type.toBeAssignableTo<DataStore>()
  expect<Omit<Pick<DataStore, Needed>, 'remove'>>().type.not.toBeAssignableTo<DataStore>()
})

test('a locker needs newLock, and a lock needs lock and unlock', () => {
  expect<{ newLock: (id: string) => Pick<Lock, 'lock' | 'unlock'> }>().type.toBeAssignableTo<Locker>()
  expect<{ newLock: (id: string) => Pick<Lock, 'lock'> }>().type.not.toBeAssignableTo<Locker>()
  expect(MemoryLocker).type.toBeConstructableWith()
  expect(MemoryLocker).type.toBeConstructableWith({ maxWaiters: 7 })
  expect(MemoryLocker).type.not.toBeConstructableWith({ maxWaiters: '7' })
})
