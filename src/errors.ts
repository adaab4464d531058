/** An error that the operator can fix: its message, one line, contains all that is needed. */
export class StartError extends Error {
  override name = 'StartError'
}
