/** A failure of the demo that one line explains. */
export class DemoError extends Error {}
