import { join } from 'node:path'
import Fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import fastifyTus from '../plugin/index.ts'
import { ask } from './ask.ts'
import { selfSigned } from './certificate.ts'
import { Http2Transport } from './h2.ts'
import { requirementsOver } from './requirements.ts'
import { Suite } from './suite.ts'
import { suites } from './suites.ts'
import { Http1Transport } from './wire.ts'
import type { Configuration, Wire } from './configurations.ts'
import type { Requirement, Result, SuiteOptions } from './suite.ts'

/** How many requirements to run concurrently on a server. They mostly wait. */
const AT_ONCE = 4

/** Our own server in one configuration, with its requirements. */
export interface OwnRun {
  configuration: Configuration
  asked: Requirement[]
  /** In the order of `asked`. */
  results: Promise<Result>[]
}

/** Our own server in all of its configurations. */
export interface OwnRuns {
  runs: OwnRun[]
  /** Closes the servers once all results are available. */
  close (): Promise<void>
}

/**
 * Starts our own server in each configuration and runs the wanted requirements, in strict mode by default.
 * @param directory - the directory for uploads
 */
export async function askOurselves (
  wire: Wire, directory: string, wanted: (requirement: Requirement) => boolean = () => true, options: SuiteOptions = {}
): Promise<OwnRuns> {
  const { configurations, requirements } = suites[options.protocol ?? 'tus']
  const servers = await Promise.all(configurations.map(async (configuration, i) => {
    const { ids } = configuration
    const { suite, close } = await open(wire, configuration, join(directory, String(i)), options)
    const asked = requirementsOver(wire.protocol, requirements)
      .filter(requirement => (ids?.includes(requirement.id) ?? true) && wanted(requirement))
    return { configuration, suite, asked, close }
  }))
  const runs = servers.map(({ configuration, suite, asked }) => {
    return { configuration, asked, results: ask(suite, asked, AT_ONCE) }
  })
  return {
    runs,
    async close () {
      await Promise.all(runs.flatMap(({ results }) => results))
      for (const { close } of servers) await close()
    }
  }
}

async function open (
  { protocol, tls }: Wire,
  { options: pluginOptions, known }: Configuration,
  directory: string,
  suiteOptions: SuiteOptions
): Promise<{ suite: Suite, close: () => Promise<void> }> {
  const http2 = protocol === 'h2'
  const https = tls ? selfSigned() : undefined
  const options = { ...(http2 ? { http2 } : {}), ...(https === undefined ? {} : { https }) }
  const app = Fastify(options as FastifyServerOptions)
  await app.register(fastifyTus, { prefix: '/files', directory, ...pluginOptions })
  const url = new URL(`${await app.listen({ port: 0, host: '127.0.0.1' })}/files`)
  const transport = http2 ? new Http2Transport(url, { ca: https?.cert }) : new Http1Transport(url, { ca: https?.cert })
  const suite = await Suite.open(url, transport, { ...suiteOptions, ...known, strict: suiteOptions.strict ?? true })
  return { suite, close: () => app.close() }
}
