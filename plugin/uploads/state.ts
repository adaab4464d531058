import type { Concatenation, Upload } from '../types.ts'

/** Whether all bytes are there. */
export function isWhole (upload: Upload): boolean {
  return upload.offset === upload.size && !isPendingFinal(upload)
}

/** Whether it is one that others are made of. */
export function isPartial ({ concatenation }: Upload): boolean {
  return concatenation !== undefined && concatenation.parts === undefined
}

/** Whether it is made of others. */
export function isFinal ({ concatenation }: Upload): boolean {
  return concatenation?.parts !== undefined
}

/** The ids of what a final upload is made of, in order. */
export function partsOf ({ concatenation }: Upload): string[] {
  return (concatenation as Concatenation).parts as string[]
}

/** Whether it is made of others and does not have their bytes yet. */
export function isPendingFinal (upload: Upload): boolean {
  return isFinal(upload) && upload.concatenation?.joined !== true
}
