import { fileURLToPath } from 'node:url'
import { commandVersion, packageVersion } from '../../test/peers/versions.ts'
import type { TusNodeServerOptions } from './tus-node-server.ts'
import type { SuiteOptions } from '../suite.ts'

const DAY = 24 * 60 * 60 * 1000
const MAX = 4 * 1024 * 1024
const root = new URL('../../', import.meta.url)

/** Another server, with the configurations that the requirements need. */
export interface Peer {
  name: string
  version: string
  /** The path of its creation URL. */
  path: string
  configurations: PeerConfiguration[]
}

export interface PeerConfiguration {
  /** The options that differ from their defaults, as the table shows them. */
  options: string
  known: SuiteOptions
  /** The requirements that need these options. Default: all requirements. */
  ids?: string[]
  command (directory: string, port: number): [file: string, ...args: string[]]
}

/** The installed servers, and the names of the missing ones. */
export async function findPeers (): Promise<{ peers: Peer[], leftOut: string[] }> {
  const found = { '@tus/server': await tusNodeServer(), tusd: await tusd(), rustus: await rustus() }
  return {
    peers: Object.values(found).filter(peer => peer !== undefined),
    leftOut: Object.entries(found).flatMap(([name, peer]) => peer === undefined ? [name] : [])
  }
}

async function tusNodeServer (): Promise<Peer> {
  const [server, store] = [await packageVersion(root, '@tus/server'), await packageVersion(root, '@tus/file-store')]
  const configure = (
    options: Partial<TusNodeServerOptions>, known: SuiteOptions, ids?: string[]
  ): PeerConfiguration => ({
    options: Object.entries(options).map(([name, value]) => `${name} ${value}`).join(', '),
    known,
    ...(ids === undefined ? {} : { ids }),
    command: (directory, port) => {
      const script = fileURLToPath(new URL('tus-node-server.ts', import.meta.url))
      const argument = JSON.stringify({ directory, port, ...options })
      return [process.execPath, '--import', import.meta.resolve('tsx'), script, argument]
    }
  })
  return {
    name: '@tus/server',
    version: `${server}, with @tus/file-store ${store}`,
    path: '/files',
    configurations: [
      configure({ maxSize: MAX, expiration: DAY }, {}),
      configure(
        { expiration: 1500 }, { expiresWithin: 1500 }, ['HEAD-06', 'EXP-05', 'EXP-06', 'EDGE-58', 'EDGE-70']
      ),
      configure(
        { expiration: 1500, sweepsEvery: 100 }, { expiresWithin: 1500, sweepsEvery: 100 }, ['EXP-07', 'EXP-08']
      ),
      configure({}, {}, ['CORE-07', 'EXP-01', 'EDGE-03', 'EDGE-74'])
    ]
  }
}

async function tusd (): Promise<Peer | undefined> {
  const version = await commandVersion('tusd', '-version')
  if (version === undefined) return undefined
  const configure = (options: string, known: SuiteOptions, ids?: string[]): PeerConfiguration => ({
    options,
    known,
    ...(ids === undefined ? {} : { ids }),
    command: (directory, port) => [
      'tusd', '-host', '127.0.0.1', '-port', String(port), '-upload-dir', directory, ...options.split(' ')
    ]
  })
  return {
    name: 'tusd',
    version,
    path: '/files/',
    configurations: [
      configure(`-show-greeting=false -max-size ${MAX}`, {}),
      configure('-network-timeout 300ms', { idleTimeout: 300 }, ['PATCH-07', 'EDGE-03', 'EDGE-74']),
      configure('-disable-concatenation -disable-termination', {}, ['CORE-07', 'TERM-01'])
    ]
  }
}

async function rustus (): Promise<Peer | undefined> {
  const version = await commandVersion('rustus', '--version')
  if (version === undefined) return undefined
  const configure = (options: string, ids?: string[]): PeerConfiguration => ({
    options,
    known: {},
    ...(ids === undefined ? {} : { ids }),
    command: (directory, port) => [
      'rustus', '--host', '127.0.0.1', '--port', String(port), '--data-dir', directory, '--info-dir', directory,
      ...options.split(' ')
    ]
  })
  return {
    name: 'rustus',
    version,
    path: '/files',
    configurations: [
      configure(`--max-body-size ${4 * MAX}`),
      configure('--tus-extensions creation', ['CORE-07', 'EXP-01', 'TERM-01'])
    ]
  }
}
