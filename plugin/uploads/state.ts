import { isComplete } from '../stores/stored-upload.ts'
import type { Concatenation, Upload, UploadReference } from '../types.ts'

export { isComplete }

/** Whether the upload no longer changes: its bytes are stored, and the finish hook has accepted it. */
export function isFinished (upload: Upload): boolean {
  return isComplete(upload) && upload.finished !== false
}

/** Whether it is a part of a final upload. */
export function isPartial ({ concatenation }: Upload): boolean {
  return concatenation !== undefined && concatenation.parts === undefined
}

/** Whether it is made of partial uploads. */
export function isFinal ({ concatenation }: Upload): boolean {
  return concatenation?.parts !== undefined
}

/** The parts of a final upload, in order. */
export function partsOf ({ concatenation }: Upload): UploadReference[] {
  return (concatenation as Concatenation).parts as UploadReference[]
}

/** Whether it is a final upload that does not have the bytes of its parts yet. */
export function isWaiting (upload: Upload): boolean {
  return isFinal(upload) && !isComplete(upload)
}

export function referenceTo ({ id, creation_date: created }: Upload): UploadReference {
  return { id, creation_date: created }
}

/** Whether a reference is to this upload, and not to a later one with the same id. */
export function isReferenceTo (reference: UploadReference, upload: Upload): boolean {
  return reference.id === upload.id &&
    (reference.creation_date === undefined || reference.creation_date === upload.creation_date)
}
