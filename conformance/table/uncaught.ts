/** The prefix of a stderr line that reports an uncaught exception. */
export const UNCAUGHT = 'uncaught: '
