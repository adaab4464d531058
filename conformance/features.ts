import { header, list } from './expectation.ts'
import { limitsOf } from './resumable-upload/limits.ts'
import type { SuiteOptions } from './suite.ts'
import type { HeaderList, Transport, WireResponse } from './transport.ts'

/** The features that a server advertises in response to OPTIONS. */
export interface Features {
  extensions: string[]
  maxSize: number | undefined
  checksumAlgorithms: string[]
  options: WireResponse
}

/** Discovers the features of a tus server. */
export async function discover (url: URL, transport: Transport, options: SuiteOptions): Promise<Features> {
  const response = await ask(url, transport, options)
  if (header(response, 'tus-version') === undefined) {
    const received = `${response.status} ${response.reason}`.trim()
    throw new Error(`no tus server at ${url.href}: OPTIONS returned ${received} without Tus-Version`)
  }
  const maxSize = header(response, 'tus-max-size')
  return {
    extensions: list(response, 'tus-extension'),
    maxSize: maxSize === undefined ? undefined : Number(maxSize),
    checksumAlgorithms: list(response, 'tus-checksum-algorithm'),
    options: response
  }
}

/**
 * Discovers the limits of a server of Resumable Uploads for HTTP. Servers of older drafts do not send any, so their
 * absence is not an error.
 */
export async function discoverLimits (url: URL, transport: Transport, options: SuiteOptions): Promise<Features> {
  const response = await ask(url, transport, options)
  if (typeof response.status === 'string') throw new Error(`no server at ${url.href}: ${response.reason}`)
  return {
    extensions: ['termination'],
    maxSize: limitsOf(response).get('max-size'),
    checksumAlgorithms: [],
    options: response
  }
}

async function ask (url: URL, transport: Transport, options: SuiteOptions): Promise<WireResponse> {
  const headers: HeaderList = [['Host', url.host], ...Object.entries(options.headers ?? {})]
  const connection = await transport.connect()
  try {
    const exchange = connection.send({ method: 'OPTIONS', target: url.pathname, headers })
    return await exchange.response(options.timeout ?? 10_000)
  } finally {
    connection.destroy()
  }
}
