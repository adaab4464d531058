import type { Extension } from '../../options.ts'
import type { Scope } from '../../uploads/context.ts'

/**
 * The table of extensions: what each needs beside not being switched off. `Tus-Extension` lists those that really work,
 * and nothing else; a request that needs another one is refused.
 */
const table: Record<Extension, (scope: Scope) => boolean> = {
  creation: able('creation'),
  'creation-with-upload': able('creation-with-upload'),
  'creation-defer-length': able('creation-defer-length'),
  checksum: able('checksum'),
  // Verified like the other; where it comes from is the wire's matter.
  'checksum-trailer': able('checksum'),
  concatenation: able('concatenation'),
  'concatenation-unfinished': able('concatenation'),
  // What is expired is refused here, whatever the store does.
  expiration: ({ settings }) => settings.expiration !== undefined,
  termination: able('termination')
}

/** An extension that means nothing without another one. */
const base: Partial<Record<Extension, Extension>> = {
  'creation-with-upload': 'creation',
  'creation-defer-length': 'creation',
  'checksum-trailer': 'checksum',
  concatenation: 'creation',
  'concatenation-unfinished': 'concatenation'
}

/** The extensions that are on offer. */
export function offeredExtensions (scope: Scope): Set<Extension> {
  const isOn = (name: Extension): boolean => {
    const needed = base[name]
    return table[name](scope) && !scope.settings.switchedOff.has(name) && (needed === undefined || isOn(needed))
  }
  return new Set((Object.keys(table) as Extension[]).filter(isOn))
}

/** The store is able to do it. */
function able (extension: string): (scope: Scope) => boolean {
  return ({ store }) => store.extensions.has(extension)
}
