import { MessageChannel } from 'node:worker_threads'

/** Smaller buffers are not worth the call, in bytes. */
const MIN_BYTES = 16 * 1024

/**
 * A message to a closed port is dropped, but its transfer list is still detached
 * (https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps).
 */
const { port1: nowhere } = new MessageChannel()
nowhere.close()

/**
 * Frees the memory of buffers at once; they are empty afterwards. Only for buffers that nothing else references.
 *
 * A body arrives in buffers of 64 KiB, each with its own memory outside of the heap. The garbage collector runs only
 * after 32 MiB of them. V8 counts these as part of the heap, and the heap of most servers is small enough to exceed its
 * limit then: nearly every time, V8 does a full collection, 34 of them per GiB. These took most of the CPU time beyond
 * that of a bare server. See docs/internals/performance.md.
 */
export function freeBuffers (buffers: Buffer[]): void {
  const whole: ArrayBuffer[] = []
  for (const { buffer, byteLength } of buffers) {
    // Other views may exist on the rest of a larger ArrayBuffer.
    if (byteLength >= MIN_BYTES && byteLength === buffer.byteLength) whole.push(buffer as ArrayBuffer)
  }
  if (whole.length > 0) nowhere.postMessage(undefined, whole)
}
