import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'
import { root } from '../root.ts'

export type EngineName = 'versitygw' | 'redis' | 'seaweedfs' | 'minio'

/** The programs that `npm run engines` builds. `npm ci` does not delete them. */
export const directory = path.join(root, '.engines')

/** Of each engine: the variable that may have its path, and its name on the PATH. */
const programs: Record<EngineName, { variable: string, command: string }> = {
  versitygw: { variable: 'VERSITYGW_PATH', command: 'versitygw' },
  redis: { variable: 'REDIS_SERVER_PATH', command: 'redis-server' },
  seaweedfs: { variable: 'WEED_PATH', command: 'weed' },
  minio: { variable: 'MINIO_PATH', command: 'minio' }
}

/** The path of the program of an engine; `undefined` if it is not installed. */
export function programOf (engine: EngineName, env = process.env): string | undefined {
  const { variable, command } = programs[engine]
  const named = env[variable]
  if (named !== undefined && named !== '') return isProgram(named) ? named : undefined
  const folders = [...(env.PATH ?? '').split(path.delimiter), directory]
  return folders.map((folder) => path.join(folder, command)).find(isProgram)
}

/** The text for a user without the program of an engine. */
export function reasonWithout (engine: EngineName): string {
  const { variable, command } = programs[engine]
  return `${command} is not installed: run "npm run engines", or set ${variable}`
}

function isProgram (file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
