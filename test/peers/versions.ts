import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** The version that a command on the PATH prints; undefined if there is no such command. */
export async function commandVersion (command: string, flag: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(command, [flag])
    return /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? 'of an unknown version'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** The version of an installed package; `root` is the folder that contains `node_modules`. */
export async function packageVersion (root: URL, name: string): Promise<string> {
  const text = await readFile(new URL(`node_modules/${name}/package.json`, root), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
