import type { Extension } from '../../options.ts'
import type { Capability } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'

/**
 * The requirements of each extension, apart from not being disabled. `Tus-Extension` lists only the extensions that
 * work. Headers of the others are ignored, as if they were unknown.
 */
const table: Record<Extension, (context: Context) => boolean> = {
  creation: needs('creation'),
  'creation-with-upload': needs('creation-with-upload'),
  'creation-defer-length': needs('deferred-length'),
  checksum: needs('checksum'),
  // Verified like a header; only its source differs.
  'checksum-trailer': needs('checksum'),
  concatenation: needs('concatenation'),
  'concatenation-unfinished': needs('concatenation'),
  // The plugin refuses expired uploads, whatever the store does.
  expiration: ({ settings }) => settings.expiration !== undefined,
  termination: needs('termination')
}

/** Extensions that have no effect without another one. */
const base: Partial<Record<Extension, Extension>> = {
  'creation-with-upload': 'creation',
  'creation-defer-length': 'creation',
  'checksum-trailer': 'checksum',
  concatenation: 'creation',
  'concatenation-unfinished': 'concatenation'
}

/** The request headers that belong to a single extension, in lower case. */
const headersOf: Partial<Record<Extension, string>> = {
  'creation-defer-length': 'upload-defer-length',
  checksum: 'upload-checksum',
  concatenation: 'upload-concat'
}

/** An ignored header, and the extension that it belongs to. */
export interface IgnoredHeader {
  name: string
  extension: Extension
}

/** The headers of extensions that are not offered: a server ignores them like unknown headers. */
export function ignoredHeaders (offered: ReadonlySet<Extension>): IgnoredHeader[] {
  return (Object.entries(headersOf) as Array<[Extension, string]>)
    .filter(([extension]) => !offered.has(extension))
    .map(([extension, name]) => ({ name, extension }))
}

/** The extensions that are offered. */
export function offeredExtensions (context: Context): Set<Extension> {
  const isOffered = (name: Extension): boolean => {
    const needed = base[name]
    const isEnabled = !context.settings.disabledExtensions.has(name)
    return isEnabled && table[name](context) && (needed === undefined || isOffered(needed))
  }
  return new Set((Object.keys(table) as Extension[]).filter(isOffered))
}

function needs (capability: Capability): (context: Context) => boolean {
  return ({ store }) => store.capabilities.has(capability)
}
