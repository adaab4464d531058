export type EngineName = 'versitygw' | 'redis' | 'seaweedfs' | 'minio'

export const directory: string
export function programOf (engine: EngineName, env?: NodeJS.ProcessEnv): string | undefined
export function skipWithout (engine: EngineName, env?: NodeJS.ProcessEnv): string | false
