/** The methods of upload clients, for `methods` of `@fastify/cors`. */
export const TUS_METHODS = ['POST', 'GET', 'HEAD', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** The request headers that upload clients and players in browsers send, for `allowedHeaders` of `@fastify/cors`. */
export const TUS_REQUEST_HEADERS = [
  'Authorization', 'Content-Type', 'Tus-Resumable', 'Upload-Length', 'Upload-Offset', 'Upload-Metadata',
  'Upload-Defer-Length', 'Upload-Concat', 'Upload-Checksum', 'X-HTTP-Method-Override', 'X-Requested-With',
  'X-Request-ID', 'Range', 'If-Range', 'Upload-Complete', 'Upload-Incomplete', 'Upload-Draft-Interop-Version',
  'Content-Disposition', 'Content-Digest'
] as const

/** The response headers that upload clients and players in browsers read, for `exposedHeaders` of `@fastify/cors`. */
export const TUS_RESPONSE_HEADERS = [
  'Location', 'Upload-Offset', 'Upload-Length', 'Upload-Defer-Length', 'Upload-Metadata', 'Upload-Concat',
  'Upload-Expires', 'Tus-Resumable', 'Tus-Version', 'Tus-Extension', 'Tus-Max-Size', 'Tus-Checksum-Algorithm',
  'Retry-After', 'Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag', 'Upload-Complete',
  'Upload-Incomplete', 'Upload-Limit', 'Upload-Draft-Interop-Version'
] as const
