import { header, list } from './expectation.ts'
import type { SuiteOptions } from './suite.ts'
import type { HeaderList, Transport, WireResponse } from './transport.ts'

/** What a server says about itself in OPTIONS. */
export interface Features {
  extensions: string[]
  maxSize: number | undefined
  checksumAlgorithms: string[]
  options: WireResponse
}

/** Asks a server for its features. */
export async function discover (url: URL, transport: Transport, options: SuiteOptions): Promise<Features> {
  const headers: HeaderList = [['Host', url.host], ...Object.entries(options.headers ?? {})]
  const connection = await transport.connect()
  try {
    const exchange = connection.send({ method: 'OPTIONS', target: url.pathname, headers })
    const response = await exchange.response(options.timeout ?? 10_000)
    if (header(response, 'tus-version') === undefined) {
      throw new Error(`no tus server at ${url.href}: OPTIONS brought ${response.status} ${response.reason}, no Tus-Version`)
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
