/**
 * Requirements that no client can observe: they need a restart, a hook, a fault, a second process or access to the
 * disk. Each id has a description of the test that replaces the check.
 *
 * Some requirements are checked here only in part. Not checked: CREATE-09 and CWU-04 (nothing stays in the store),
 * PATCH-09 and EDGE-53 (the finish hook is not called again), LOCK-05 (no CPU is used while waiting), CORS-04 (lists of
 * origins, credentials), CORS-05 (with @fastify/cors in front), EDGE-39 (how often an empty append moves the
 * expiration), EDGE-43 (a client that does not read while it sends), EDGE-74 (no disk space is used), EDGE-83 (a
 * stalled reader does not hold a lock).
 */
export const notOnTheWire: Record<string, string> = {
  'CWU-06': 'store: check for the upload after an interrupted creation',
  'PATCH-11': 'fault: a full disk',
  'CKSUM-07': 'fault: kill -9 between write and verification',
  'TERM-06': 'store: delete one of its two files, then DELETE',
  'CONCAT-13': 'hook: onUploadFinish is not called for parts',
  'CONCAT-16': 'hook and fault: delete a part during a slow join; join on a full disk',
  'LOCK-04': 'locker: a holder that never releases the lock; 423 with Retry-After',
  'LOCK-07': 'processes: two that share a locker',
  'LOCK-08': 'process: close the app during an append',
  'EDGE-28': 'option: a namingFunction that repeats an id',
  'EDGE-29': 'option: a namingFunction that returns a part of the prefix',
  'EDGE-40': 'option: a body that is sent too slowly (PATCH-07 covers a stalled body)',
  'EDGE-41': 'process: the warning about requestTimeout at registration',
  'EDGE-44': 'store: slower than the client; memory stays bounded',
  'EDGE-45': 'fault: ENOSPC, EMFILE, EIO, EROFS during creations and appends',
  'EDGE-54': 'hook: a hook that throws',
  'EDGE-55': 'fault: kill -9 between the last byte and the hook',
  'EDGE-56': 'store: torn metadata; kill -9 during a write',
  'EDGE-57': 'store: a data file that is longer or shorter than recorded',
  'EDGE-59': 'clock: a clock that jumps',
  'EDGE-60': 'processes: kill the holder of a lock',
  'EDGE-62': 'process: a directory that is missing or not writable at registration',
  'EDGE-66': 'option: publicUrl',
  'EDGE-71': 'documentation',
  'EDGE-73': 'policy of the app: a limit on creations per client',
  'EDGE-78': 'hook: authorize is called for each part',
  'EDGE-81': 'log: ids, metadata and the override header'
}
