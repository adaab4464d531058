import type { FastifyServerOptions } from 'fastify'
import pretty from 'pino-pretty'
import { visible } from '../conformance/visible.ts'

/** The format of a log, and the stream that it is written to. */
export type LogOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

/** The level of warnings in pino; errors are above it. */
const WARN = 40

/** The fields in the lines of Fastify and the server; other fields are printed below the line. */
interface Line {
  msg: string
  res?: { method?: string, url?: string, statusCode: number }
  responseTime?: number
  upload?: { id: string, size?: number }
  worker?: number
}

/** A log for a terminal: one short line for each request, none for its start, and no stack of a 4xx. */
export function terminalLog (destination: NodeJS.WritableStream, colorize: boolean): LogOptions {
  return {
    stream: pretty({
      destination,
      colorize,
      sync: true,
      translateTime: 'SYS:HH:MM:ss',
      ignore: 'pid,hostname,worker,reqId,req,res,responseTime,upload,endpoint,page',
      messageFormat: (line) => prefixed(line as unknown as Line)
    }),
    serializers: {
      res: ({ request, statusCode }) => ({ method: request?.method, url: request?.url, statusCode })
    },
    hooks: {
      logMethod (args, method, level) {
        const [fields, message] = args as unknown as [Record<string, unknown> | string, string | undefined]
        if (message === 'incoming request') return
        if (typeof fields === 'object' && level < WARN) method.call(this, { ...fields, err: undefined }, message)
        else method.apply(this, args)
      },
      streamWrite: withVisible
    }
  }
}

function prefixed (line: Line): string {
  return line.worker === undefined ? shorten(line) : `[${line.worker}] ${shorten(line)}`
}

function shorten ({ msg, res, responseTime, upload }: Line): string {
  if (upload !== undefined) {
    return `${msg} ${upload.id}, ${upload.size === undefined ? 'length unknown' : `${upload.size} bytes`}`
  }
  if (res?.method === undefined) return msg
  const request = `${res.method} ${res.url} ${res.statusCode}`
  return responseTime === undefined ? `${request} ${msg}` : `${request} in ${Math.round(responseTime)} ms`
}

/** Escapes the control characters in all texts of a line of JSON: a client sends some of them. */
function withVisible (line: string): string {
  return `${JSON.stringify(JSON.parse(line, (_key, value) => typeof value === 'string' ? visible(value) : value))}\n`
}
