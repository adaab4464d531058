import type { HostileRequest } from './grammar.ts'
import { faultsOf } from './judge.ts'
import { isLast, isComplete, render } from './render.ts'
import { type HttpResponse, type Exchange, header, send } from './send.ts'
import { type Target, type UploadName, uploads } from './target.ts'

/** A request that always gets a response and ends the connection: an additional response was sent too early. */
const last = Buffer.from('GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')

/**
 * Sends one request, and checks the response and the uploads afterwards.
 * @returns the response; `undefined` if none was due
 * @throws Error with the faults found and the bytes that were sent
 */
export async function check (target: Target, name: string, request: HostileRequest): Promise<HttpResponse | undefined> {
  const ids = target.prepare(name)
  const before = target.state(ids.half)
  const bytes = render(request, { ...ids, case: name })
  const complete = isComplete(request)
  let exchange: Exchange | undefined
  try {
    const all = complete && !isLast(request) ? Buffer.concat([bytes, last]) : bytes
    exchange = await send(target.port, all, request.method, !complete)
    const faults = [
      ...exchange.ended ? [] : ['the server hung'],
      ...exchange.responses.flatMap((response) => faultsOf(response, isDownload(request))),
      ...complete ? faultsOfComplete(exchange, target, name) : [],
      ...faultsOfUploads(target, ids, exchange.responses[0], complete)
    ]
    if (before?.offset !== 3) faults.push('the case was not prepared')
    if (faults.length > 0) throw new Error(faults.join('; '))
    return exchange.responses[0]
  } catch (cause) {
    const sent = JSON.stringify(bytes.toString('latin1').slice(0, 2000))
    throw new Error(`${(cause as Error).message}\nsent: ${sent}\nreceived: ${JSON.stringify(exchange)}`, { cause })
  } finally {
    target.clean([...Object.values(ids), ...complete ? [target.idOf(name)] : []])
  }
}

/** One request, one response; a refused creation leaves nothing; bytes of a body are not a request. */
/** Whether a request is a download: GET or HEAD without any tus header. */
function isDownload ({ method, headers }: HostileRequest): boolean {
  const names = headers.map(([name]) => name.toLowerCase())
  const isTus = names.includes('tus-resumable') || names.includes('x-http-method-override')
  return (method === 'GET' || method === 'HEAD') && !isTus
}

function faultsOfComplete ({ responses, rest }: Exchange, target: Target, name: string): string[] {
  const faults: string[] = []
  const [first, second, ...others] = responses
  const isOfLast = (response: HttpResponse) => response.body === 'last'
  if (first === undefined || isOfLast(first)) return ['no response']
  const ends = header(first, 'connection') === 'close' || isFromParser(first)
  // According to the parser, bytes after a request that ends the connection are not a request.
  const isFine = second === undefined ? ends : isOfLast(second) || (ends && isFromParser(second))
  if (!isFine) faults.push('the next request got no response')
  if (others.length > 0 || rest !== '') faults.push('more responses than requests')
  const made = target.filesOf(target.idOf(name))
  if (first.status !== 201 && !isInterrupted(first) && made.length > 0) faults.push(`left behind: ${made.join(' ')}`)
  if (target.filesOf(target.idOf(`smuggled-${name}`)).length > 0) faults.push('a body was read as a request')
  return faults
}

/** Node.js ends the connection after a malformed request, and its own response has no date. */
function isFromParser (response: HttpResponse): boolean {
  return header(response, 'date') === undefined
}

function isInterrupted ({ body }: HttpResponse): boolean {
  return /FST_TUS_(INTERRUPTED|DISPLACED)/.test(body)
}

/** The prepared uploads are unchanged, or changed as the response says. */
function faultsOfUploads (
  target: Target, ids: Record<UploadName, string>, response: HttpResponse | undefined, complete: boolean
): string[] {
  const faults: string[] = []
  for (const name of ['empty', 'half', 'deferred', 'complete'] as const) {
    const { size, bytes: { length: offset } } = uploads[name]
    const state = target.state(ids[name])
    if (state === undefined) {
      if (response?.status !== 204 && complete) faults.push(`${name} is gone`)
      continue
    }
    if (!state.bytes.startsWith('abcde'.slice(0, offset))) faults.push(`${name} has ${JSON.stringify(state.bytes)}`)
    if (state.size !== undefined && state.bytes.length > state.size) faults.push(`${name} is longer than allowed`)
    if (state.offset < offset) faults.push(`${name} lost bytes`)
    const changed = state.offset !== offset || state.size !== size
    if (changed && complete && response?.status !== 204 && !(response !== undefined && isInterrupted(response))) {
      faults.push(`${name} is at ${state.offset}/${state.size} after ${response?.status}`)
    }
    if (changed && response?.status === 204 && header(response, 'upload-offset') !== String(state.offset)) {
      faults.push(`${name} is at ${state.offset}, and the response said ${header(response, 'upload-offset')}`)
    }
  }
  return faults
}
