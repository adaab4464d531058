import { header, list } from './expectation.ts'
import type { SuiteOptions } from './suite.ts'
import type { HeaderList, Transport, WireResponse } from './transport.ts'

/** The features that a server advertises in response to OPTIONS. */
export interface Features {
  extensions: string[]
  maxSize: number | undefined
  checksumAlgorithms: string[]
  options: WireResponse
}

/** Discovers the features of a server. */
export async function discover (url: URL, transport: Transport, options: SuiteOptions): Promise<Features> {
  const headers: HeaderList = [['Host', url.host], ...Object.entries(options.headers ?? {})]
  const connection = await transport.connect()
  try {
    const exchange = connection.send({ method: 'OPTIONS', target: url.pathname, headers })
    const response = await exchange.response(options.timeout ?? 10_000)
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
  } finally {
    connection.destroy()
  }
}
