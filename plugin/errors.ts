import createError from '@fastify/error'

/** Facts about the upload, for the protocols to render. */
export interface ErrorData {
  /** The offset of the upload, in bytes: where the client resumes. */
  offset?: number | undefined
  /** When the upload expires, in ms since the epoch. */
  expiresAt?: number | undefined
  /** The expected value. */
  expected?: number | string | undefined
  /** The value in the request. */
  provided?: number | string | undefined
}

/** An error of the plugin. */
export interface TusError extends Error {
  code: string
  statusCode: number
  data: ErrorData
}

export interface TusErrorConstructor {
  readonly prototype: TusError
  /** @param values - the values of the message, then optionally `{ cause }` */
  new (...values: unknown[]): TusError
}

/** @param names - the names under which `data` keeps the values of the message, in order */
function define (
  code: string, message: string, statusCode: number, ...names: Array<keyof ErrorData>
): TusErrorConstructor {
  const Base = createError(`FST_TUS_${code}`, message, statusCode)
  return class TusError extends Base {
    data: ErrorData
    constructor (...values: unknown[]) {
      super(...values)
      this.data = Object.fromEntries(names.map((name, i) => [name, values[i]]))
    }
  } as unknown as TusErrorConstructor
}

/**
 * Every error that the plugin throws. Clients see the messages: they describe the fault of the request and reveal
 * nothing about the server; the `cause` of an error is for the log. They name no header: the protocols do.
 *
 * tus-js-client gives up on 4xx other than 409 and 423 and retries 5xx: the statuses are chosen accordingly.
 */
export const errors = {
  // Registration
  InvalidOption: define('INVALID_OPTION', 'fastify-tus: option %s', 500),
  Directory: define('DIRECTORY', 'fastify-tus: option "directory": %s', 500),
  Bucket: define('BUCKET', 'fastify-tus: bucket "%s": %s', 500),

  // Requests
  Version: define('VERSION', 'Tus-Resumable must be 1.0.0', 412),
  MethodNotAllowed: define('METHOD_NOT_ALLOWED', 'Method %s is not allowed: %s', 405),
  InvalidHeader: define('INVALID_HEADER', '%s %s', 400),
  MediaType: define('MEDIA_TYPE', '%s', 415),
  TypeRefused: define('TYPE_REFUSED', 'Content of type %s is not accepted', 415),
  Unsupported: define('UNSUPPORTED', 'Extension %s is not supported', 400),
  Forbidden: define('FORBIDDEN', 'Forbidden', 403),
  TooLarge: define('TOO_LARGE', 'Upload too large: at most %s bytes are allowed', 413, 'expected'),
  BodyTooLong: define('BODY_TOO_LONG', 'Body too long: it exceeds the length of the upload', 413),
  LengthMismatch: define('LENGTH_MISMATCH', 'Length mismatch: expected %s, got %s', 400, 'expected', 'provided'),
  FinalUpload: define('FINAL_UPLOAD', 'Final uploads cannot be modified', 403),
  InvalidParts: define('INVALID_PARTS', 'Invalid parts: %s', 400),
  ChecksumMissing: define('CHECKSUM_MISSING', 'Missing checksum trailer', 400),
  ChecksumTwice: define('CHECKSUM_TWICE', 'Checksum sent both as header and as trailer', 400),
  ChecksumMismatch: define('CHECKSUM_MISMATCH', 'Checksum mismatch', 460),
  OffsetMismatch: define('OFFSET_MISMATCH', 'Offset mismatch: expected %s, got %s', 409, 'expected', 'provided'),

  // Quotas
  TooManyUploads: define('TOO_MANY_UPLOADS', 'Too many unfinished uploads on this server', 503),
  ClientUploads: define('CLIENT_UPLOADS', 'Too many unfinished uploads: at most %s per client', 429, 'expected'),
  TooManyBodies: define('TOO_MANY_BODIES', 'Too many concurrent uploads from this client', 503),
  TooManyDownloads: define('TOO_MANY_DOWNLOADS', 'Too many concurrent downloads on this connection', 503),

  // Uploads
  NotFound: define('NOT_FOUND', 'Upload not found', 404),
  Gone: define('GONE', 'Upload expired or removed', 410),
  NotFinished: define('NOT_FINISHED', 'Upload not finished', 404),
  Exists: define('EXISTS', 'Upload id already in use', 409),
  TerminationRefused: define('TERMINATION_REFUSED', 'Finished uploads cannot be deleted', 403),

  // Downloads
  Destination: define('DESTINATION', 'Sec-Fetch-Dest must not be %s for a download', 403),
  Precondition: define('PRECONDITION', 'Precondition failed', 412),
  InvalidQuery: define('INVALID_QUERY', '%s %s', 400),
  Range: define('RANGE', 'Range not satisfiable', 416),

  // Locks, and bodies that end early
  Locked: define('LOCKED', 'Upload is locked by another request', 423),
  Displaced: define('DISPLACED', 'Displaced by a later request for the same upload', 423),
  LockLost: define('LOCK_LOST', 'Lock on the upload was lost', 423),
  LockerFailed: define('LOCKER_FAILED', 'Lock service unavailable', 503),
  Interrupted: define('INTERRUPTED', 'Request body ended prematurely', 400),
  Shutdown: define('SHUTDOWN', 'Server is shutting down', 503),

  // Server
  InvalidId: define('INVALID_ID', 'Invalid upload id from the naming function', 500),
  HookFailed: define('HOOK_FAILED', 'Upload processing failed', 500),
  BodyRead: define('BODY_READ', 'Request body was read by a hook of the app', 500),
  FinishDue: define('FINISH_DUE', 'Upload complete but not processed yet', 423),
  InsufficientStorage: define('INSUFFICIENT_STORAGE', 'Insufficient storage', 507),
  StoreUnavailable: define('STORE_UNAVAILABLE', 'Store unavailable', 503),
  Internal: define('INTERNAL', 'Internal server error', 500),
  StoreFailed: define('STORE_FAILED', 'Store failed', 500)
} satisfies Record<string, TusErrorConstructor>

// `@tus/server` reads these properties of the errors of its stores, and FileStore may be one of them.
for (const { prototype } of Object.values(errors)) {
  Object.defineProperties(prototype, {
    status_code: { get (this: { statusCode: number }) { return this.statusCode } },
    body: { get (this: Error) { return this.message } }
  })
}

export function isTusError (error: unknown): error is TusError {
  return String((Object(error) as { code?: unknown }).code).startsWith('FST_TUS_')
}

/** Adds facts about the upload to an error of the plugin; errors of the app are unchanged. */
export function withData<E> (error: E, data: ErrorData): E {
  if (isTusError(error)) error.data = { ...error.data, ...data }
  return error
}
