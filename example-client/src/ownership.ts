const held = new Map<string, () => void>()

/**
 * Makes this tab the owner of an upload until it is closed. Two tabs that write the same upload would displace each
 * other again and again. `false` if another tab owns it.
 */
export function own (id: string): Promise<boolean> {
  return ask(id, { ifAvailable: true })
}

/** Resolves when the owning tab has released an upload and this tab owns it. */
export async function ownWhenFree (id: string): Promise<void> {
  await ask(id, {})
}

export function disown (id: string): void {
  held.get(id)?.()
  held.delete(id)
}

function ask (id: string, options: LockOptions): Promise<boolean> {
  // Pages from http: on another machine have no locks.
  if (!('locks' in navigator)) return Promise.resolve(true)
  return new Promise(resolve => {
    navigator.locks.request(`fastify-tus:${id}`, options, lock => {
      resolve(lock !== null)
      // The lock is held until this promise settles.
      return lock && new Promise<void>(resolve => held.set(id, resolve))
    }).catch(() => resolve(false))
  })
}

/** Runs a function while no other tab runs it. */
export function alone<T> (what: string, work: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? navigator.locks.request(`fastify-tus:${what}`, work) : work()
}

/** A random name. `crypto.randomUUID` needs a page from https:. */
export function makeId (): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
}
