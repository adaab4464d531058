import type { Scope } from '../uploads/scope.ts'

/**
 * The table of extensions: what each needs beside the store's word that it is able to serve it. `Tus-Extension` lists
 * those that really work, and nothing else.
 */
const table: Record<string, (scope: Scope) => boolean> = {
  creation: () => true,
  'creation-with-upload': () => true,
  'creation-defer-length': () => true,
  expiration: ({ settings }) => settings.expiration !== undefined,
  termination: () => true
}

export type Extension = keyof typeof table

/** The names of the extensions that are on offer. */
export function offeredExtensions (scope: Scope): Set<Extension> {
  const names = Object.keys(table)
  return new Set(names.filter((name) => scope.store.extensions.has(name) && table[name]?.(scope)))
}
