import { errors } from '../../plugin/errors.ts'
import { type HttpResponse, header } from './send.ts'

/** The status of each error that clients may get, by its code. */
const table = new Map(Object.values(errors).map((Kind) => {
  const { code, statusCode } = new Kind()
  return [code, statusCode]
}))

const knownHeaders = new Set([
  'date', 'connection', 'keep-alive', 'content-length', 'content-type', 'transfer-encoding', 'location', 'allow',
  'vary', 'cache-control', 'retry-after', 'content-disposition', 'x-content-type-options', 'upload-offset',
  'accept-ranges', 'content-range', 'etag', 'last-modified', 'content-security-policy',
  'upload-length', 'upload-defer-length', 'upload-metadata', 'upload-concat', 'upload-expires',
  'tus-resumable', 'tus-version', 'tus-extension', 'tus-max-size', 'tus-checksum-algorithm',
  'access-control-allow-origin',
  'access-control-expose-headers', 'access-control-allow-methods', 'access-control-allow-headers',
  'access-control-max-age'
])

/** The faults of a response; empty if there are none. */
export function faultsOf (response: HttpResponse, isDownload: boolean): string[] {
  const faults: string[] = []
  const check = (fine: boolean, fault: string) => { if (!fine) faults.push(fault) }
  const { status, headers, body, interim } = response

  check(status >= 200 && status < 500, `status ${status}`)
  check(status !== 408, '408, after which clients stop retrying')
  check(interim.every((head) => head.status === 100 && head.headers.length === 0), 'an interim response other than 100')
  for (const [name, value] of headers) {
    check(knownHeaders.has(name.toLowerCase()), `header ${name}`)
    check(/^[\x20-\x7e\x80-\xff]*$/.test(value), `header ${name}: ${JSON.stringify(value)}`)
  }
  const names = headers.map(([name]) => name.toLowerCase())
  check(new Set(names).size === names.length, `a header twice: ${names.join(' ')}`)
  const isOurs = !isOfTheFramework(response)
  // A download is plain HTTP.
  if (isOurs && !isDownload) check(header(response, 'tus-resumable') === '1.0.0', 'no Tus-Resumable')
  if (status >= 400 && isOurs && body !== '') faults.push(...faultsOfError(response))
  return faults
}

/** Node.js responds to malformed requests; the app, to paths outside of the prefix and invalid ones. */
function isOfTheFramework (response: HttpResponse): boolean {
  const { status, body } = response
  const isOfNode = header(response, 'date') === undefined || status === 417 || (status === 400 && body === '')
  // A response to HEAD does not show who sent it.
  if (status === 404 && body === '' && header(response, 'tus-resumable') === undefined) return true
  return isOfNode || body === 'last' || /"message":"Route /.test(body) || body.includes('"code":"FST_ERR_')
}

function faultsOfError (response: HttpResponse): string[] {
  let error: { statusCode?: unknown, code?: unknown, message?: unknown }
  try {
    error = JSON.parse(response.body)
  } catch {
    return [`no JSON: ${response.body.slice(0, 200)}`]
  }
  const faults: string[] = []
  const { code, message } = error
  // A GET of an upload client may have been a HEAD, which must not fail with 404.
  const isHidden = code === 'FST_TUS_NOT_FINISHED' && response.status === 423
  const status = isHidden ? 423 : table.get(String(code))
  if (status !== response.status || error.statusCode !== response.status) {
    faults.push(`${String(code)} with ${response.status}`)
  }
  if (typeof message !== 'string' || message === '' || message.length > 300) faults.push(`message ${String(message)}`)
  if (response.body.length > 1024) faults.push(`${response.body.length} bytes of an error`)
  if (/\bE[A-Z]{4,}\b|\n\s+at |node_modules|\/(home|usr|var|tmp)\//.test(response.body)) faults.push(response.body)
  return faults
}
