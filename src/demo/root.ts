import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/** The clone of the repository. By the name of the package: the relative path differs between src/ and dist/src/. */
export const root = dirname(createRequire(import.meta.url).resolve('fastify-tus/package.json'))
