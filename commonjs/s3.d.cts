// The types of s3.cjs. With `module: node16`, TypeScript allows CommonJS to import only types from a module, so each value
// is declared again.
import type * as s3 from '../dist/plugin/stores/s3/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/plugin/stores/s3/index.js' with { 'resolution-mode': 'import' }

export declare const S3Store: typeof s3.S3Store
export type S3Store = s3.S3Store
