/** Server processes over a bucket, for fault tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { FastifyTusOptions } from '../../plugin/index.ts'
import type { Rig } from '../stores/s3/rig.ts'

const script = new URL('s3-server.ts', import.meta.url).pathname

export interface Server {
  child: ChildProcess
  url: string
  /** The ids of the uploads for which the finish hook ran. */
  finished: string[]
  kill (): Promise<void>
}

export interface ServerOptions {
  /** Whether its requests pass through the fault proxy. Default `true`. */
  proxied?: boolean
  /** Default 10,000 ms. */
  retryTime?: number
  /** The port of a Redis that holds the locks. Default: locks of its own. */
  redis?: number | undefined
  /** The `ttl` of the locks in Redis, in ms. Default 1000. */
  ttl?: number
  /** The `memory` of the store, in bytes. Default: that of the store. */
  memory?: number
  /** Options of the plugin. */
  plugin?: FastifyTusOptions
}

export async function serve (
  t: Test, rig: Rig, { proxied = true, retryTime = 10_000, redis, ttl = 1000, memory, plugin = {} }: ServerOptions = {}
): Promise<Server> {
  const clientConfig = rig.engine.clientConfig(proxied ? rig.proxy.endpoint : undefined)
  const options = { clientConfig, bucket: rig.bucketName, retryTime, redis, ttl, memory, plugin }
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', 'tsx', script], {
    env: { ...process.env, OPTIONS: JSON.stringify(options) }, stdio: ['ignore', 'pipe', 'inherit']
  })
  const lines = createInterface({ input: child.stdout })
  const finished: string[] = []
  lines.on('line', (line) => { if (line.startsWith('finished ')) finished.push(line.slice(9)) })
  const [url] = await Promise.race([once(lines, 'line'), once(child, 'exit')])
  if (typeof url !== 'string') throw new Error(`The server ended with ${url ?? child.signalCode} before it was ready`)
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  t.teardown(kill)
  return { child, url, finished, kill }
}
