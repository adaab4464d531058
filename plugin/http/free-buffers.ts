import { MessageChannel } from 'node:worker_threads'

/** Smaller ones are not worth the call, in bytes. */
const MIN_BYTES = 16 * 1024

/**
 * What is sent to a closed port goes nowhere, but the memory that goes along is given away all the same
 * (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
 */
const { port1: nowhere } = new MessageChannel()
nowhere.close()

/**
 * Frees the memory of buffers at once; they are empty then. Only for buffers that nobody else has.
 *
 * A body comes in buffers of 64 KiB, each with memory of its own outside of the heap. Left to the collector of garbage,
 * 32 MiB of them gather before it looks. V8 counts those as a part of the heap, which has outgrown its limit then where
 * it is as small as that of most servers, so that nearly each time it collects everything: 34 times for a GiB, and most
 * of the processor time above that of a bare server. See docs/performance.md.
 */
export function freeBuffers (buffers: Buffer[]): void {
  const whole: ArrayBuffer[] = []
  for (const { buffer, byteLength } of buffers) {
    // A view of a part of it may not be the only one.
    if (byteLength >= MIN_BYTES && byteLength === buffer.byteLength) whole.push(buffer as ArrayBuffer)
  }
  if (whole.length > 0) nowhere.postMessage(undefined, whole)
}
