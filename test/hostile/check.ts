import type { HostileRequest } from './grammar.ts'
import { faultsOf } from './judge.ts'
import { isLast, isWhole, render } from './render.ts'
import { type Answer, type Exchange, header, send } from './send.ts'
import { type Target, type UploadName, uploads } from './target.ts'

/** Asks for something that is surely answered, and for the end: an answer that comes before it came too early. */
const last = Buffer.from('GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')

/**
 * Sends one request, and looks at the answer and at what the server made of it.
 * @returns the answer; `undefined` where none was due
 * @throws what is wrong, with the bytes that were sent
 */
export async function check (target: Target, name: string, request: HostileRequest): Promise<Answer | undefined> {
  const ids = target.prepare(name)
  const before = target.state(ids.half)
  const bytes = render(request, { ...ids, case: name })
  const whole = isWhole(request)
  let exchange: Exchange | undefined
  try {
    const all = whole && !isLast(request) ? Buffer.concat([bytes, last]) : bytes
    exchange = await send(target.port, all, request.method, !whole)
    const faults = [
      ...exchange.ended ? [] : ['the server hung'],
      ...exchange.answers.flatMap((answer) => faultsOf(answer, isDownload(request))),
      ...whole ? faultsOfWhole(exchange, target, name) : [],
      ...faultsOfUploads(target, ids, exchange.answers[0], whole)
    ]
    if (before?.offset !== 3) faults.push('the case was not prepared')
    if (faults.length > 0) throw new Error(faults.join('; '))
    return exchange.answers[0]
  } catch (cause) {
    const sent = JSON.stringify(bytes.toString('latin1').slice(0, 2000))
    throw new Error(`${(cause as Error).message}\nsent: ${sent}\ncame: ${JSON.stringify(exchange)}`, { cause })
  } finally {
    target.clean([...Object.values(ids), ...whole ? [target.idOf(name)] : []])
  }
}

/** One request, one answer; a creation that is refused leaves nothing; bytes of a body are no request. */
/** Whether a request is one for a download: GET or HEAD without anything that makes it one of tus. */
function isDownload ({ method, headers }: HostileRequest): boolean {
  const names = headers.map(([name]) => name.toLowerCase())
  const isTus = names.includes('tus-resumable') || names.includes('x-http-method-override')
  return (method === 'GET' || method === 'HEAD') && !isTus
}

function faultsOfWhole ({ answers, rest }: Exchange, target: Target, name: string): string[] {
  const faults: string[] = []
  const [first, second, ...others] = answers
  const isOfLast = (answer: Answer) => answer.body === 'last'
  if (first === undefined || isOfLast(first)) return ['no answer']
  const ends = header(first, 'connection') === 'close' || isFromParser(first)
  // What comes behind a request that ends the connection is no request, says the parser.
  const isFine = second === undefined ? ends : isOfLast(second) || (ends && isFromParser(second))
  if (!isFine) faults.push('the next request was not answered')
  if (others.length > 0 || rest !== '') faults.push('more answers than requests')
  const made = target.filesOf(target.idOf(name))
  if (first.status !== 201 && !mayGoOn(first) && made.length > 0) faults.push(`left behind: ${made.join(' ')}`)
  if (target.filesOf(target.idOf(`smuggled-${name}`)).length > 0) faults.push('a body was taken for a request')
  return faults
}

/** Node.js ends the connection after what it cannot read, and what it answers then has no date. */
function isFromParser (answer: Answer): boolean {
  return header(answer, 'date') === undefined
}

function mayGoOn ({ body }: Answer): boolean {
  return /FST_TUS_(INTERRUPTED|DISPLACED)/.test(body)
}

/** The uploads that lay ready are as they were, or changed as the answer says. */
function faultsOfUploads (
  target: Target, ids: Record<UploadName, string>, answer: Answer | undefined, whole: boolean
): string[] {
  const faults: string[] = []
  for (const name of ['empty', 'half', 'deferred', 'whole'] as const) {
    const { size, bytes: { length: offset } } = uploads[name]
    const state = target.state(ids[name])
    if (state === undefined) {
      if (answer?.status !== 204 && whole) faults.push(`${name} is gone`)
      continue
    }
    if (!state.bytes.startsWith('abcde'.slice(0, offset))) faults.push(`${name} holds ${JSON.stringify(state.bytes)}`)
    if (state.size !== undefined && state.bytes.length > state.size) faults.push(`${name} is longer than it may be`)
    if (state.offset < offset) faults.push(`${name} lost bytes`)
    const changed = state.offset !== offset || state.size !== size
    if (changed && whole && answer?.status !== 204 && !(answer !== undefined && mayGoOn(answer))) {
      faults.push(`${name} is at ${state.offset}/${state.size} after ${answer?.status}`)
    }
    if (changed && answer?.status === 204 && header(answer, 'upload-offset') !== String(state.offset)) {
      faults.push(`${name} is at ${state.offset}, and ${header(answer, 'upload-offset')} was answered`)
    }
  }
  return faults
}
