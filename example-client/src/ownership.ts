const held = new Map<string, () => void>()

/**
 * Makes this tab the one that writes an upload, for as long as it lives. Two tabs that both did would take it from each
 * other again and again. `false`: another tab owns it.
 */
export function own (id: string): Promise<boolean> {
  return ask(id, { ifAvailable: true })
}

/** Resolves when the tab that owns an upload has let go of it, and this one owns it. */
export async function ownWhenFree (id: string): Promise<void> {
  await ask(id, {})
}

export function disown (id: string): void {
  held.get(id)?.()
  held.delete(id)
}

function ask (id: string, options: LockOptions): Promise<boolean> {
  // Pages from http: of another machine have no locks.
  if (!('locks' in navigator)) return Promise.resolve(true)
  return new Promise(resolve => {
    navigator.locks.request(`fastify-tus:${id}`, options, lock => {
      resolve(lock !== null)
      // The lock is held until this settles.
      return lock && new Promise<void>(resolve => held.set(id, resolve))
    }).catch(() => resolve(false))
  })
}

/** Does something while no other tab does the same. */
export function alone<T> (what: string, work: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? navigator.locks.request(`fastify-tus:${what}`, work) : work()
}

/** A name for something to own. `crypto.randomUUID` would need a page from https:. */
export function makeId (): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}
