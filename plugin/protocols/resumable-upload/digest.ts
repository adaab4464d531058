import type { IncomingHttpHeaders } from 'node:http'
import { type BareItem, parseDictionary } from 'structured-headers'
import { errors } from '../../errors.ts'
import { type ExpectedChecksum, digestLengths } from '../../uploads/body/checksum.ts'
import type { Context } from '../../uploads/context.ts'

/** The algorithms of `Content-Digest` that are verified, the stronger one first (RFC 9530, 5). */
const algorithms = [['sha-512', 'sha512'], ['sha-256', 'sha256']] as const

/**
 * The expected digest of a body (RFC 9530, 2). Other algorithms alone are ignored, and so is the field if the store
 * cannot verify a body before it counts.
 * @throws FST_TUS_INVALID_HEADER if it is malformed
 */
export function contentDigest ({ store }: Context, headers: IncomingHttpHeaders): ExpectedChecksum | undefined {
  const value = headers['content-digest']
  if (value === undefined || !store.capabilities.has('checksum')) return undefined
  const digests = parseDigests(String(value))
  const known = algorithms.find(([name]) => digests.has(name))
  if (known === undefined) return undefined
  const [name, algorithm] = known
  const bytes = digests.get(name)
  if (!(bytes instanceof ArrayBuffer) || bytes.byteLength !== digestLengths.get(algorithm)) throw invalid()
  return { checksum: { algorithm, digest: Buffer.from(bytes) }, announced: false, trailer: () => undefined }
}

function parseDigests (value: string): Map<string, BareItem | unknown[]> {
  try {
    return new Map([...parseDictionary(value)].map(([name, [digest]]) => [name, digest]))
  } catch {
    throw invalid()
  }
}

function invalid (): Error {
  return new errors.InvalidHeader('Content-Digest', 'must be algorithms and their digests, such as sha-256=:…:')
}
