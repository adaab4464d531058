/** The servers that are compared. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { MIB } from './bytes.ts'
import { type Layout, layouts } from './layouts.ts'
import { root } from './root.ts'
import { commandVersion, packageVersion } from '../test/peers/versions.ts'

export interface Peer {
  name: string
  version: string
  /** The path of its creation URL. */
  path: string
  layout: Layout
  /** Whether it runs on Node.js and answers questions over the IPC channel. */
  isNode: boolean
  /** More variables of its environment. */
  env?: NodeJS.ProcessEnv
  command: (directory: string, port: number, options?: Record<string, unknown>) => [file: string, ...args: string[]]
}

/** A peer that runs one of the scripts in `servers/`. */
export function nodePeer (
  name: string, version: string, script: string, layout: Layout, fixed: Record<string, unknown> = {}
): Peer {
  const file = fileURLToPath(new URL(`./servers/${script}.js`, import.meta.url))
  return {
    name,
    version,
    layout,
    path: '/files',
    isNode: true,
    command: (directory, port, options) =>
      [process.execPath, '--expose-gc', file, JSON.stringify({ directory, port, ...fixed, ...options })]
  }
}

export const LIMIT = 'the limit'
export const OURS = 'ours, durability none'
export const OURS_S3 = 'ours on S3'
export const STATIC = '@fastify/static'

const tusVersion = `${await packageVersion(root, '@tus/server')}, @tus/file-store ${await packageVersion(root, '@tus/file-store')}`
const fastifyVersion = `Fastify ${await packageVersion(root, 'fastify')}`
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string }

export const limit = nodePeer(LIMIT, `Node.js ${process.version}`, 'limit', layouts.bare)
export const tusNode = nodePeer('@tus/server', tusVersion, 'tus-node', layouts.json)
const tusFastify = nodePeer('@tus/server in Fastify', `${tusVersion}, ${fastifyVersion}`, 'tus-fastify', layouts.json)
export const ours = nodePeer('ours', `${version}, ${fastifyVersion}`, 'ours', layouts.json)
export const oursNone = nodePeer(OURS, `${version}, ${fastifyVersion}`, 'ours', layouts.json, { durability: 'none' })

/** Two processes that share the port and the directory. */
export const oursTwice = nodePeer(
  'ours, durability none, 2 workers', ours.version, 'ours-cluster', layouts.json,
  { durability: 'none', workers: 2, locks: true }
)

/** For several processes that share the directory, each with its own port. */
export const oursLocal = nodePeer('ours, LocalLocker', ours.version, 'ours', layouts.json, { locks: true })

/** The cost of the machine itself: receiving bytes over a bare socket. */
export const receiver = nodePeer('loopback receive alone', process.version, 'receive', layouts.none)
const WRITER = 'page cache writes alone'

/** The cost of the machine itself: writing this many bytes to the page cache. */
export function writer (bytes: number): Peer {
  return nodePeer(WRITER, process.version, 'page-cache', layouts.none, { bytes })
}

export function isWriter ({ name }: Peer): boolean {
  return name === WRITER
}

/** Only serves files. */
export const fastifyStatic = nodePeer(
  STATIC, `${await packageVersion(root, STATIC)}, ${fastifyVersion}`, 'static', layouts.bare
)
/** Only sweeps. */
export const oursSweeping = nodePeer('ours', ours.version, 'ours-sweeping', layouts.json)

const tusd: Omit<Peer, 'version'> = {
  name: 'tusd',
  path: '/files/',
  layout: layouts.tusd,
  isNode: false,
  command: (directory, port) => [
    'tusd', '-host', '127.0.0.1', '-port', String(port), '-upload-dir', directory,
    '-verbose=false', '-show-greeting=false', '-show-startup-logs=false'
  ]
}

const rustus: Omit<Peer, 'version'> = {
  name: 'rustus',
  path: '/files',
  layout: layouts.rustus,
  isNode: false,
  command: (directory, port) => [
    'rustus', '--host', '127.0.0.1', '--port', String(port), '--data-dir', directory, '--info-dir', directory,
    // The defaults limit bodies to 256 KiB and log every request.
    '--max-body-size', String(512 * MIB), '--log-level', 'ERROR'
  ]
}

/** A peer that is not installed or does not support the work. */
export interface LeftOut { name: string, why: string }

/** The installed servers, and the missing ones. */
export async function findPeers (): Promise<{ peers: Peer[], leftOut: LeftOut[] }> {
  const peers = [limit, oursNone, ours, tusNode, tusFastify]
  const leftOut: LeftOut[] = []
  for (const [peer, flag] of [[tusd, '-version'], [rustus, '--version']] as const) {
    const version = await commandVersion(peer.name, flag)
    if (version === undefined) leftOut.push({ name: peer.name, why: 'it is not on the PATH' })
    else peers.push({ ...peer, version })
  }
  return { peers, leftOut }
}
