import type { Readable } from 'node:stream'
import type { Upload } from '../../types.ts'
import type { ExpectedChecksum } from './checksum.ts'

/** The body of a request, not read yet. */
export interface Body {
  readonly stream: Readable
  /** The announced length, in bytes; `undefined` if it is unknown until the end. */
  readonly length: number | undefined
  /** The expected checksum, if the client sends one. */
  readonly expected?: ExpectedChecksum | undefined
  /** Whether these are the last bytes of the upload; `undefined` if its length decides. */
  readonly completes?: boolean | undefined
  /** Called once the upload exists and before the first byte is read: the client may send the body. */
  accept (upload: Upload): void
  /** Called whenever the stored offset of the upload moves. */
  onStored? (offset: number): void
  /** Closes the connection. */
  close (): void
  /** Whether nothing else references the chunk that is being delivered now. */
  isExclusive (): boolean
  /** Frees the memory of exclusive buffers. */
  release (buffers: Buffer[]): void
}
