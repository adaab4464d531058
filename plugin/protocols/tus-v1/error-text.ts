import { errors, type TusError } from '../../errors.ts'

/** Errors of the operations name no header: these are their texts for tus clients. */
const texts: Array<[kind: (typeof errors)[keyof typeof errors], text: (data: TusError['data']) => string]> = [
  [errors.OffsetMismatch, ({ expected, provided }) => `Upload-Offset mismatch: expected ${expected}, got ${provided}`],
  [errors.LengthMismatch, ({ expected, provided }) => `Upload-Length mismatch: expected ${expected}, got ${provided}`],
  [errors.TooLarge, ({ expected }) => `Upload-Length too large: at most ${expected} bytes are allowed`],
  [errors.BodyTooLong, () => 'Body too long: it exceeds Upload-Length'],
  [errors.ChecksumMissing, () => 'Missing Upload-Checksum trailer'],
  [errors.ChecksumTwice, () => 'Upload-Checksum sent both as header and as trailer'],
  [errors.ChecksumMismatch, () => 'Upload-Checksum mismatch']
]

/** Gives an error its text for tus clients. */
export function nameHeaders<E extends Error> (error: E): E {
  const [, text] = texts.find(([kind]) => error instanceof kind) ?? []
  if (text !== undefined) error.message = text((error as unknown as TusError).data)
  return error
}
