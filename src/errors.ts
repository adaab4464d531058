/** What the person who starts the server can mend: its message, one line, is all that they need to see. */
export class StartError extends Error {
  override name = 'StartError'
}
