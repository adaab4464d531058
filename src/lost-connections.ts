import type { ChildProcess } from 'node:child_process'

/** A message by which the primary process hands a connection to a worker, or the response of the worker to it. */
interface ClusterMessage { act?: string, seq?: number, ack?: number }

/**
 * Closes the connections that a worker did not take over before it died. `node:cluster` keeps them open in the primary
 * process, and their clients would wait forever. The messages are internal to Node.js: if they change, this does
 * nothing.
 * @param child - a worker that was just forked
 */
export function closeLostConnections (child: ChildProcess): void {
  const handed = new Set<number>()
  const send = child.send.bind(child) as (...args: unknown[]) => boolean
  child.send = (...args: unknown[]) => {
    const { act, seq } = Object(args[0]) as ClusterMessage
    if (act === 'newconn' && seq !== undefined) handed.add(seq)
    return send(...args)
  }
  child.on('internalMessage', ({ ack }: ClusterMessage) => { if (ack !== undefined) handed.delete(ack) })
  child.once('exit', () => setImmediate(() => {
    if (handed.size === 0) return
    // Node.js does not emit it while it waits for the confirmation of a connection. `node:cluster` then hands over
    // nothing more to this worker.
    child.emit('disconnect')
    // As if the worker had accepted them: the primary process then closes its side.
    for (const ack of handed) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack, accepted: true })
  }))
}
