/** Thrown by a requirement that cannot be asked of this server; the message says why. */
export class Skip extends Error {
  override name = 'Skip'
}

/** Thrown by a requirement that the server does not meet; the message adds what the exchange does not show. */
export class Failure extends Error {
  override name = 'Failure'
}
