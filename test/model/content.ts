import { sampleBytes } from '../helper.ts'

const pool = sampleBytes(4 * 1024 * 1024)

/** Bytes that differ for each number, and at each position. */
export function contentOf (which: number, length: number): Buffer {
  return pool.subarray(which, which + length)
}
