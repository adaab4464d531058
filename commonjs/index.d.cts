// The types of index.cjs. With `module: node16`, TypeScript allows CommonJS to import only types from a module, so each
// value is declared again.
import type * as tus from '../dist/plugin/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/plugin/index.js' with { 'resolution-mode': 'import' }

export declare const fastifyTus: typeof tus.fastifyTus
export default fastifyTus

export declare const errors: typeof tus.errors
export declare const FileStore: typeof tus.FileStore
export type FileStore = tus.FileStore
export declare const LocalLocker: typeof tus.LocalLocker
export type LocalLocker = tus.LocalLocker
export declare const MemoryLocker: typeof tus.MemoryLocker
export type MemoryLocker = tus.MemoryLocker
export declare const MemoryStore: typeof tus.MemoryStore
export type MemoryStore = tus.MemoryStore
export declare const TUS_METHODS: typeof tus.TUS_METHODS
export declare const TUS_REQUEST_HEADERS: typeof tus.TUS_REQUEST_HEADERS
export declare const TUS_RESPONSE_HEADERS: typeof tus.TUS_RESPONSE_HEADERS
