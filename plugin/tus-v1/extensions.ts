import type { Scope } from '../uploads/scope.ts'

/**
 * The table of extensions: what each needs. `Tus-Extension` lists those that really work, and nothing else.
 */
const table = {
  creation: able('creation'),
  'creation-with-upload': able('creation-with-upload'),
  'creation-defer-length': able('creation-defer-length'),
  checksum: able('checksum'),
  // Verified like the other; where it comes from is the wire's matter.
  'checksum-trailer': able('checksum'),
  expiration: (scope) => able('expiration')(scope) && scope.settings.expiration !== undefined,
  termination: able('termination')
} satisfies Record<string, (scope: Scope) => boolean>

export type Extension = keyof typeof table

/** The extensions that are on offer. */
export function offeredExtensions (scope: Scope): Set<Extension> {
  const names = Object.keys(table) as Extension[]
  return new Set(names.filter((name) => table[name](scope)))
}

/** The store is able to do it. */
function able (extension: string): (scope: Scope) => boolean {
  return ({ store }) => store.extensions.has(extension)
}
