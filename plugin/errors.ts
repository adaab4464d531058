import createError from '@fastify/error'

type ErrorName =
  | 'InvalidOption' | 'Directory' | 'Version' | 'MethodNotAllowed' | 'InvalidHeader' | 'MediaType'
  | 'Unsupported' | 'Forbidden' | 'TooLarge' | 'BodyTooLong' | 'LengthMismatch' | 'FinalUpload'
  | 'InvalidParts' | 'ChecksumMissing' | 'ChecksumTwice' | 'ChecksumMismatch' | 'OffsetMismatch' | 'NotFound'
  | 'TooManyUploads' | 'ClientUploads' | 'TooManyBodies'
  | 'Gone' | 'NotFinished' | 'Exists' | 'TerminationRefused' | 'Locked' | 'Displaced' | 'Interrupted'
  | 'Shutdown' | 'InvalidId' | 'HookFailed' | 'FinishDue' | 'InsufficientStorage' | 'StoreUnavailable'
  | 'Internal' | 'StoreFailed' | 'BodyRead' | 'Precondition' | 'Range' | 'InvalidQuery' | 'TypeRefused'

/** An error of the plugin's. */
export interface TusError extends Error {
  code: string
  statusCode: number
}

export interface TusErrorConstructor {
  readonly prototype: TusError
  /** @param values - what the message tells, and last `{ cause }` */
  new (...values: unknown[]): TusError
}

/**
 * Every error that the plugin throws. The messages go to clients: they say what is wrong with the request and nothing
 * about the machine; what caused an error is its `cause`, for the log.
 *
 * tus-js-client gives up on a 4xx, but for 409 and 423, and retries a 5xx: statuses are chosen accordingly.
 */
export const errors: Readonly<Record<ErrorName, TusErrorConstructor>> = {
  // Registration
  InvalidOption: createError('FST_TUS_INVALID_OPTION', 'fastify-tus: option %s', 500),
  Directory: createError('FST_TUS_DIRECTORY', 'fastify-tus: option "directory": %s', 500),

  // Requests
  Version: createError('FST_TUS_VERSION', 'Tus-Resumable must be 1.0.0', 412),
  MethodNotAllowed: createError('FST_TUS_METHOD_NOT_ALLOWED', 'Method %s is not allowed here', 405),
  InvalidHeader: createError('FST_TUS_INVALID_HEADER', '%s %s', 400),
  MediaType: createError('FST_TUS_MEDIA_TYPE', '%s', 415),
  TypeRefused: createError('FST_TUS_TYPE_REFUSED', 'The upload is %s, which is not accepted here', 415),
  Unsupported: createError('FST_TUS_UNSUPPORTED', '%s is not supported by this server', 400),
  Forbidden: createError('FST_TUS_FORBIDDEN', 'Not allowed', 403),
  TooLarge: createError('FST_TUS_TOO_LARGE', 'The upload is larger than %s bytes, the maximum', 413),
  BodyTooLong: createError('FST_TUS_BODY_TOO_LONG', 'The body goes beyond the length of the upload', 413),
  LengthMismatch: createError('FST_TUS_LENGTH_MISMATCH', 'Upload-Length %s', 400),
  FinalUpload: createError('FST_TUS_FINAL_UPLOAD', 'A final upload cannot be appended to', 403),
  InvalidParts: createError('FST_TUS_INVALID_PARTS', 'The final upload %s', 400),
  ChecksumMissing: createError('FST_TUS_CHECKSUM_MISSING', 'The checksum that was announced did not come', 400),
  ChecksumTwice: createError('FST_TUS_CHECKSUM_TWICE', 'There is a checksum before and one behind the body', 400),
  ChecksumMismatch: createError('FST_TUS_CHECKSUM_MISMATCH', 'The body is not what its checksum says', 460),
  OffsetMismatch: createError('FST_TUS_OFFSET_MISMATCH', 'Upload-Offset is %s, but the upload is at %s', 409),

  // Limits on how much at a time
  TooManyUploads: createError('FST_TUS_TOO_MANY_UPLOADS', 'Too many uploads are unfinished, try again later', 503),
  ClientUploads: createError('FST_TUS_CLIENT_UPLOADS', 'You have %s unfinished uploads, the maximum', 429),
  TooManyBodies: createError('FST_TUS_TOO_MANY_BODIES', 'Too many uploads are sent at a time, try again', 503),

  // Uploads
  NotFound: createError('FST_TUS_NOT_FOUND', 'There is no such upload', 404),
  Gone: createError('FST_TUS_GONE', 'The upload is gone', 410),
  NotFinished: createError('FST_TUS_NOT_FINISHED', 'The upload is not finished', 404),
  Exists: createError('FST_TUS_EXISTS', 'There is an upload of that id already', 409),
  TerminationRefused: createError('FST_TUS_TERMINATION_REFUSED', 'A finished upload cannot be deleted', 403),

  // Downloads
  Precondition: createError('FST_TUS_PRECONDITION', 'The upload is not in the state that was asked for', 412),
  InvalidQuery: createError('FST_TUS_INVALID_QUERY', '%s %s', 400),
  Range: createError('FST_TUS_RANGE', 'There are no such bytes', 416),

  // Bodies that end before their end
  Locked: createError('FST_TUS_LOCKED', 'The upload is in use, try again', 423),
  Displaced: createError('FST_TUS_DISPLACED', 'A later request for this upload took over', 423),
  Interrupted: createError('FST_TUS_INTERRUPTED', 'The body ended before its end', 400),
  Shutdown: createError('FST_TUS_SHUTDOWN', 'The server is shutting down, go on later', 503),

  // This side
  InvalidId: createError('FST_TUS_INVALID_ID', 'The server chose an unusable upload id', 500),
  HookFailed: createError('FST_TUS_HOOK_FAILED', 'The server could not process the upload', 500),
  BodyRead: createError('FST_TUS_BODY_READ', 'The app read the body before it could be stored', 500),
  FinishDue: createError('FST_TUS_FINISH_DUE', 'The upload is complete but not processed yet, try again', 423),
  InsufficientStorage: createError('FST_TUS_INSUFFICIENT_STORAGE', 'There is no room for the upload', 507),
  StoreUnavailable: createError('FST_TUS_STORE_UNAVAILABLE', 'The store cannot be used now, try again', 503),
  Internal: createError('FST_TUS_INTERNAL', 'The server failed', 500),
  StoreFailed: createError('FST_TUS_STORE_FAILED', 'The store failed', 500)
}

// As stores of `@tus/server` throw them, so that ours can be used there too.
for (const { prototype } of Object.values(errors)) {
  Object.defineProperties(prototype, {
    status_code: { get (this: { statusCode: number }) { return this.statusCode } },
    body: { get (this: Error) { return this.message } }
  })
}

/** What is true of an upload when a request for it is refused: told with the error, so that the client can go on. */
export interface UploadState {
  offset?: number | undefined
  /** In ms since the epoch. */
  expiresAt?: number | undefined
}

/** Ties the state of the upload to an error of ours about it; errors of the app's are left as they are. */
export function withState<E extends Error> (error: E, state: UploadState): E {
  if (!String((error as { code?: unknown }).code).startsWith('FST_TUS_')) return error
  return Object.assign(error, { uploadState: { ...stateOf(error), ...state } })
}

/** The state of the upload that an error is about, as far as it is known. */
export function stateOf (error: unknown): UploadState {
  return (error as { uploadState?: UploadState }).uploadState ?? {}
}
