import path from 'node:path'
import { check, isObject } from './checks.ts'
import { MemoryLocker } from './locks/memory.ts'
import type { Durability, FastifyTusOptions } from './options.ts'
import { type Settings, SWEEP_INTERVAL } from './settings.ts'
import { StoreAdapter } from './stores/adapter.ts'
import { FileStore } from './stores/file/file-store.ts'
import { capabilityNames } from './types.ts'
import type { Capability, DataStore, Locker } from './types.ts'

/** The store and the locker of one registration. */
export interface Engines {
  store: StoreAdapter
  locker: Locker
  /** Called once the registration no longer needs them. */
  release: () => void
}

/**
 * Checks the options of store and locker, and only then creates the missing ones.
 * @throws FST_TUS_INVALID_OPTION
 * @throws FST_TUS_DIRECTORY
 */
export function resolveEngines (options: FastifyTusOptions): Engines {
  if (options.locker === undefined) return withDefaultLocker(options)
  const { locker } = options
  check(isObject(locker) && typeof locker.newLock === 'function', '"locker" must have a method "newLock"')
  return { store: new StoreAdapter(resolveStore(options, locker)), locker, release: () => {} }
}

/**
 * Checks the settings against the capabilities of the store.
 * @returns the settings, with the expiration of the store if they have none of their own
 * @throws FST_TUS_INVALID_OPTION
 */
export function matchSettings (settings: Settings, { capabilities, expirationPeriod }: StoreAdapter): Settings {
  const expiration = expirationOf(settings, expirationPeriod)
  const limits = { maxUploads: settings.maxUploads, 'perClient.maxUploads': settings.perClient.maxUploads }
  for (const [name, max] of Object.entries(limits)) {
    check(max === Infinity || expiration !== undefined,
      `"${name}" needs "expiration": abandoned uploads count until then`)
  }
  const needs = (option: string, isSet: boolean, needed: Capability[]): void => {
    const missing = needed.filter((capability) => !capabilities.has(capability))
    check(!isSet || missing.length === 0, `"${option}" needs a store with the capability "${missing.join('", "')}"`)
  }
  needs('download.growing', settings.download?.growing === true, ['read-unfinished', 'ranges'])
  needs('allowedTypes', settings.isAllowedType !== undefined, ['read'])
  needs('resumableUpload', settings.resumableUpload, ['updates', 'deferred-length'])
  return { ...settings, expiration }
}

/** Stores measure their expiration from the creation. */
function expirationOf ({ expiration, disabledExtensions }: Settings, period: number): Settings['expiration'] {
  if (disabledExtensions.has('expiration')) return undefined
  if (expiration !== undefined) return expiration
  return period > 0 ? { period, sweepInterval: SWEEP_INTERVAL, sliding: false } : undefined
}

function resolveStore ({ datastore, directory, durability }: FastifyTusOptions, locker: Locker): DataStore {
  check(datastore === undefined || directory === undefined, '"directory" and "datastore" cannot be combined')
  if (datastore !== undefined) {
    checkStore(datastore)
    check(durability === undefined, '"durability" applies to the default store only')
    return datastore
  }
  check(typeof directory === 'string' && directory !== '', '"directory" must be a path, or "datastore" a store')
  check(durability === undefined || ['none', 'finished', 'every-append'].includes(durability),
    '"durability" must be "none", "finished" or "every-append"')
  return defaultStore(locker, directory, durability)
}

function checkStore (store: DataStore): void {
  check(isObject(store), '"datastore" must be a store')
  const isBatched = typeof store.openAppend === 'function'
  const streamed: Array<keyof DataStore> = isBatched ? [] : ['write', 'declareUploadLength']
  for (const method of ['create', 'getUpload', 'remove', ...streamed] as const) {
    check(typeof store[method] === 'function', `"datastore" must have a method "${method}"`)
  }
  check(store.capabilities instanceof Set || Array.isArray(store.extensions),
    '"datastore" must have a Set "capabilities" or a list "extensions"')
  const capabilities: ReadonlySet<Capability> = store.capabilities ?? new Set()
  for (const capability of capabilities) {
    check(capabilityNames.includes(capability), `"datastore" has the unknown capability "${capability}"`)
    for (const oneOf of requiredMethods[capability] ?? []) {
      const hasOne = oneOf.some((method) => typeof store[method] === 'function')
      check(hasOne, `"datastore" must have a method "${oneOf.join('" or "')}" for "${capability}"`)
    }
  }
}

/** The methods that a capability needs; of each list, one. */
const requiredMethods: Partial<Record<Capability, Array<Array<keyof DataStore>>>> = {
  read: [['read']],
  'read-unfinished': [['read']],
  ranges: [['read']],
  checksum: [['openAppend']],
  updates: [['update']],
  concatenation: [['concatenate'], ['update']],
  expiration: [['list', 'due']],
  fencing: [['openAppend']]
}

/** The default lockers that are in use in this process, by directory. */
const lockers = new Map<string, { locker: MemoryLocker, users: number }>()

/** Registrations for one directory share the locker: with two of them, two requests could append to one upload. */
function withDefaultLocker (options: FastifyTusOptions): Engines {
  const { directory } = options
  const root = typeof directory === 'string' ? path.resolve(directory) : undefined
  const shared = lockers.get(root ?? '') ?? { locker: new MemoryLocker(), users: 0 }
  const store = new StoreAdapter(resolveStore(options, shared.locker))
  if (root !== undefined) lockers.set(root, shared)
  shared.users++
  const release = () => {
    shared.users--
    if (shared.users === 0 && root !== undefined) lockers.delete(root)
  }
  return { store, locker: shared.locker, release }
}

/** The default stores of lockers that several registrations in this process may use. */
const stores = new WeakMap<Locker, Map<string, FileStore>>()

/**
 * The store of a directory. Registrations that share a locker share the store too: it caches records and open files,
 * and two caches of one directory would not see each other's changes.
 */
function defaultStore (locker: Locker, directory: string, durability: Durability | undefined): FileStore {
  const shared = stores.get(locker) ?? new Map<string, FileStore>()
  stores.set(locker, shared)
  const root = path.resolve(directory)
  const store = shared.get(root) ?? new FileStore({ directory, durability, locker })
  check(durability === undefined || durability === store.durability,
    `"durability" must be "${store.durability}", as in the other registration for this directory`)
  shared.set(root, store)
  return store
}
