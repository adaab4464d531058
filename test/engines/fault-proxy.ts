import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'

/**
 * What happens to a request:
 * - a number: the proxy responds with that status, and does not forward the request. 503 is `SlowDown` of S3.
 * - `reset-before`: the connection is reset, and the request is not forwarded.
 * - `reset-after`: the request is forwarded, but the connection is reset instead of the response.
 * - `stall-before`, `stall-after`: nothing is answered until `release` of the proxy, and the request is forwarded only
 *   then, or has been.
 * - `cut`: the request is forwarded, and the connection is reset in the middle of the response.
 * - `delay`: the request is forwarded after that time, in ms.
 */
export type Fault = number | 'reset-before' | 'reset-after' | 'stall-before' | 'stall-after' | 'cut' | { delay: number }

/** Which requests have a fault. A condition that is missing applies to every request. */
export interface FaultRule {
  method?: string
  /** Matched against the path with its query. */
  url?: RegExp
  /** Only the n-th request that the rule matches, from 1, or those that it accepts. */
  nth?: number | ((n: number) => boolean)
  /** Only this part of the requests, from 0 to 1. */
  fraction?: number
  fault: Fault
}

/** One request, in the order of arrival. */
export interface LoggedRequest {
  method: string
  path: string
  query: string
  headers: IncomingMessage['headers']
  /** The status that the client got; `undefined` without a response so far. */
  status: number | undefined
  /** The status of the server behind the proxy. */
  forwarded: number | undefined
  fault: Fault | undefined
}

export interface FaultProxy {
  endpoint: string
  log: LoggedRequest[]
  /** Adds a rule. The first rule that matches a request applies. Returns a function that removes it. */
  add (rule: FaultRule): () => void
  /** Removes all rules. */
  clear (): void
  /** Lets all stalled requests proceed. */
  release (): void
  /** How many requests of the log match. */
  count (filter?: Pick<FaultRule, 'method' | 'url'>): number
}

export interface FaultProxyOptions {
  /** Used by `fraction`. Default `Math.random`. */
  random?: () => number
  /** Default: a free port. */
  port?: number
}

/** A proxy on the loopback interface that passes requests on unchanged, `Host` included, so that signatures hold. */
export async function startFaultProxy (
  t: Pick<Test, 'teardown'>, target: { port: number }, { random = Math.random, port = 0 }: FaultProxyOptions = {}
): Promise<FaultProxy> {
  const log: LoggedRequest[] = []
  const rules: Array<FaultRule & { seen: number }> = []
  const stalled = new Set<() => void>()

  const server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url as string).split('?')
    const { method = '', headers } = request
    const entry: LoggedRequest = {
      method, path, query, headers, status: undefined, forwarded: undefined, fault: faultOf(rules, request, random)
    }
    log.push(entry)
    request.on('error', () => {})
    response.on('error', () => {})
    handle(request, response, entry).catch(() => request.socket.destroy())
  })

  async function handle (request: IncomingMessage, response: ServerResponse, entry: LoggedRequest): Promise<void> {
    const { fault } = entry
    if (typeof fault === 'number') return refuse(request, response, entry, fault)
    if (fault === 'reset-before') return reset(request)
    if (fault === 'stall-before') await stall()
    if (typeof fault === 'object') await wait(fault.delay)
    const answer = await pass(request)
    entry.forwarded = answer.statusCode
    if (fault === 'reset-after') {
      // After the complete response, the request has had its effect.
      answer.resume()
      await once(answer, 'end')
      return reset(request)
    }
    if (fault === 'stall-after') await stall()
    entry.status = answer.statusCode
    response.writeHead(answer.statusCode as number, answer.statusMessage, answer.rawHeaders)
    if (fault === 'cut') {
      const body = await buffer(answer)
      response.write(body.subarray(0, body.length / 2), () => reset(request))
      return
    }
    answer.on('error', () => request.socket.destroy())
    answer.pipe(response)
  }

  async function stall (): Promise<void> {
    await new Promise<void>((resolve) => { stalled.add(resolve) })
  }

  /** Forwards a request as it is. */
  async function pass (request: IncomingMessage): Promise<IncomingMessage> {
    const { method, url: path, rawHeaders: headers } = request
    // A connection for each request: a kept one may be closed by the server at any time.
    const onward = forward({ host: '127.0.0.1', port: target.port, agent: false, method, path, headers })
    const answered = once(onward, 'response')
    request.on('close', () => { if (!request.complete) onward.destroy() })
    // A server may close the connection after its response, before it has read the body.
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
    const [answer] = await answered as [IncomingMessage]
    return answer
  }

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    add (rule) {
      const added = { ...rule, seen: 0 }
      rules.push(added)
      return () => { rules.splice(rules.indexOf(added), 1) }
    },
    clear: () => { rules.length = 0 },
    release () {
      for (const proceed of stalled) proceed()
      stalled.clear()
    },
    count: (filter = {}) => log.filter(({ method, path, query }) => matches(filter, method, `${path}?${query}`)).length
  }
}

function faultOf (
  rules: Array<FaultRule & { seen: number }>, { method = '', url = '' }: IncomingMessage, random: () => number
): Fault | undefined {
  for (const rule of rules) {
    if (!matches(rule, method, url)) continue
    rule.seen++
    const { nth, fraction = 1 } = rule
    const isTurn = nth === undefined || (typeof nth === 'number' ? nth === rule.seen : nth(rule.seen))
    if (isTurn && (fraction === 1 || random() < fraction)) return rule.fault
  }
  return undefined
}

function matches (filter: Pick<FaultRule, 'method' | 'url'>, method: string, url: string): boolean {
  return (filter.method ?? method) === method && (filter.url?.test(url) ?? true)
}

/** Reads the body, as a real server does, and responds with an error of S3. */
async function refuse (
  request: IncomingMessage, response: ServerResponse, entry: LoggedRequest, status: number
): Promise<void> {
  request.resume()
  if (!request.complete) await once(request, 'end')
  const code = status === 503 ? 'SlowDown' : 'InternalError'
  entry.status = status
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>fault</Message></Error>`)
}

function reset ({ socket }: IncomingMessage): void {
  socket.resetAndDestroy()
}
