import { createHash, getHashes, type Hash } from 'node:crypto'
import { errors } from '../../errors.ts'
import type { Append } from '../../types.ts'
import type { ReleaseSignal } from '../locking/release-signal.ts'

/** The expected checksum of a body. */
export interface Checksum {
  /** One of `checksumAlgorithms`. */
  algorithm: string
  digest: Buffer
}

/** The source of the checksum of a body: a header, or a trailer after the body. */
export interface ExpectedChecksum {
  /** Known before the body. */
  checksum?: Checksum | undefined
  /** Whether a trailer is announced. */
  announced: boolean
  /** The checksum of the trailer, once the body has ended. */
  trailer: () => Checksum | undefined
}

/** The algorithms that clients use, as far as this OpenSSL has them; sha1 is first. */
export const checksumAlgorithms: readonly string[] = [
  'sha1', 'md5', 'sha256', 'sha512', 'sha224', 'sha384', 'sha3-256', 'sha3-384', 'sha3-512', 'blake2b512', 'blake2s256',
  'ripemd160'
].filter((name) => getHashes().includes(name))

/** The length of each digest, in bytes. */
export const digestLengths: ReadonlyMap<string, number> = new Map(
  checksumAlgorithms.map((algorithm) => [algorithm, createHash(algorithm).digest().length])
)

/** Verifies a body while it is stored, without keeping it. */
export class BodyVerifier {
  readonly #expected: ExpectedChecksum
  readonly #hash: Hash | undefined

  constructor (expected: ExpectedChecksum = { announced: false, trailer: () => undefined }) {
    this.#expected = expected
    this.#hash = expected.checksum && createHash(expected.checksum.algorithm)
  }

  /** Whether the body counts only once it is verified. */
  get isNeeded (): boolean {
    return this.#hash !== undefined || this.#expected.announced
  }

  update (buffers: Buffer[]): void {
    if (this.#hash === undefined) return
    for (const buffer of buffers) this.#hash.update(buffer)
  }

  /**
   * @param append - the append of the body; `undefined` for an empty one
   * @param release - ends reading the body back, which may take long
   * @throws the reason of `release`
   * @throws FST_TUS_CHECKSUM_MISMATCH
   * @throws FST_TUS_CHECKSUM_MISSING
   * @throws FST_TUS_CHECKSUM_TWICE
   */
  async verify (append: Pick<Append, 'readBack'> | undefined, release: ReleaseSignal): Promise<void> {
    const trailer = this.#expected.trailer()
    if (trailer === undefined && this.#expected.announced) throw new errors.ChecksumMissing()
    if (trailer !== undefined && this.#hash !== undefined) throw new errors.ChecksumTwice()
    const { checksum = trailer } = this.#expected
    if (checksum === undefined) return
    // A trailer names its algorithm only after the body, so the body is read back.
    const hash = this.#hash ?? await hashStored(checksum.algorithm, append, release)
    if (!hash.digest().equals(checksum.digest)) throw new errors.ChecksumMismatch()
  }
}

async function hashStored (
  algorithm: string, append: Pick<Append, 'readBack'> | undefined, release: ReleaseSignal
): Promise<Hash> {
  const hash = createHash(algorithm)
  for await (const buffer of append?.readBack?.() ?? []) {
    if (release.reason !== undefined) throw release.reason
    hash.update(buffer)
  }
  return hash
}
