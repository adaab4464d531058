import type { Extension } from '../../options.ts'
import type { Capability } from '../../types.ts'
import type { Context } from '../../uploads/context.ts'

/**
 * What each extension needs, apart from not being disabled. `Tus-Extension` lists the extensions that work, and nothing
 * else; a request that needs another one is refused.
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

/** Extensions that mean nothing without another one. */
const base: Partial<Record<Extension, Extension>> = {
  'creation-with-upload': 'creation',
  'creation-defer-length': 'creation',
  'checksum-trailer': 'checksum',
  concatenation: 'creation',
  'concatenation-unfinished': 'concatenation'
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
