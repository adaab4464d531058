import { spawnSync } from 'node:child_process'
import type { Built } from '../helper.ts'
import { OFFSET_OCTET_STREAM } from '../helper.ts'

export const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

/** `Upload-Metadata` of an object. */
export function metadataOf (metadata: Record<string, string>): string {
  return Object.entries(metadata).map(([key, value]) => `${key} ${base64(value)}`).join(',')
}

/** Creates a finished upload, and returns its path. */
export async function finished (
  { post }: Built, bytes: string | Buffer, metadata: Record<string, string> = {}
): Promise<string> {
  const { statusCode, headers, body } = await post({
    'upload-length': String(bytes.length),
    'content-type': OFFSET_OCTET_STREAM,
    ...(Object.keys(metadata).length === 0 ? {} : { 'upload-metadata': metadataOf(metadata) })
  }, bytes)
  if (statusCode !== 201) throw new Error(`not created: ${statusCode} ${body}`)
  return headers.location as string
}

/** Options of a test that needs a program: it is skipped if that is missing, with its name. */
export function needs (...programs: string[]): { skip: string | false } {
  const missing = programs.filter((program) => spawnSync(program, ['-version'], { stdio: 'ignore' }).error)
  return { skip: missing.length > 0 && `${missing.join(' and ')}: not installed` }
}
