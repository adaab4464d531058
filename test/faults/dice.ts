/** Numbers from 0 to 1, the same sequence for the same seed. */
export function dice (seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}
