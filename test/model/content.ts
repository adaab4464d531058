import { sampleBytes } from '../helper.ts'

const pool = sampleBytes(4 * 1024 * 1024)

/** Bytes that are others for each number, and at each place. */
export function contentOf (which: number, length: number): Buffer {
  return pool.subarray(which, which + length)
}
