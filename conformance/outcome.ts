/** Thrown if a requirement does not apply to this server. The message is the reason. */
export class Skip extends Error {
  override name = 'Skip'
}

/** Thrown if the server does not meet a requirement. The message adds to what the exchange shows. */
export class Failure extends Error {
  override name = 'Failure'
}
