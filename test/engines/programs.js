import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'

/** The programs that `npm run engines` builds. `npm ci` does not delete them. */
export const directory = path.join(import.meta.dirname, '../../.engines')

/** Of each engine: the variable that may have its path, and its name on the PATH. */
const programs = {
  versitygw: { variable: 'VERSITYGW_PATH', command: 'versitygw' },
  redis: { variable: 'REDIS_SERVER_PATH', command: 'redis-server' },
  seaweedfs: { variable: 'WEED_PATH', command: 'weed' },
  minio: { variable: 'MINIO_PATH', command: 'minio' }
}

/** The path of the program of an engine; `undefined` if it is not installed. */
export function programOf (engine, env = process.env) {
  const { variable, command } = programs[engine]
  const named = env[variable]
  if (named !== undefined && named !== '') return named
  const folders = [...(env.PATH ?? '').split(path.delimiter), directory]
  return folders.map((folder) => path.join(folder, command)).find(isProgram)
}

/**
 * The reason to skip tests that need an engine; `false` if it is installed.
 * @throws if it is missing, and `FASTIFY_TUS_ENGINES` is `required`
 */
export function skipWithout (engine, env = process.env) {
  if (programOf(engine, env) !== undefined) return false
  const { variable, command } = programs[engine]
  const reason = `${command} is not installed: run "npm run engines", or set ${variable}`
  if (env.FASTIFY_TUS_ENGINES === 'required') throw new Error(reason)
  return reason
}

function isProgram (file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
