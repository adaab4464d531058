/** Begins the line of stderr that tells of an exception that nobody caught. */
export const UNCAUGHT = 'uncaught: '
