import { faststart } from './faststart.ts'

/** One edit of a file before its upload. It only references bytes; nothing is copied. */
export type Edit =
  /** Keeps the bytes from `start` up to but not including `end`. */
  | { op: 'cut', start: number, end: number }
  /** Moves the index of an mp4 to its front. */
  | { op: 'faststart' }
  /** Appends other files, identified by name and size. */
  | { op: 'join', files: { name: string, size: number }[] }

/** A recipe does not fit its file. */
export class RecipeError extends Error {
  override name = 'RecipeError'
}

/**
 * Applies edits in their order. `others` are the appended files, in their order.
 * @throws RecipeError if an edit does not fit
 */
export async function applyRecipe (file: Blob, recipe: readonly Edit[], others: readonly Blob[] = []): Promise<Blob> {
  let result = file
  const rest = [...others]
  for (const edit of recipe) {
    result = await apply(result, edit, edit.op === 'join' ? rest.splice(0, edit.files.length) : [])
  }
  return result
}

async function apply (blob: Blob, edit: Edit, joined: readonly Blob[]): Promise<Blob> {
  switch (edit.op) {
    case 'cut':
      if (edit.start < 0 || edit.end > blob.size || edit.start >= edit.end) throw new RecipeError('cut')
      return blob.slice(edit.start, edit.end, blob.type)
    case 'faststart': {
      const moved = await faststart(blob)
      if (!moved) throw new RecipeError('faststart')
      return moved
    }
    case 'join':
      if (edit.files.some(({ size }, index) => joined[index]?.size !== size)) throw new RecipeError('join')
      return new Blob([blob, ...joined], { type: blob.type })
  }
}
