/** tus 1.0.0 requests, with the checks of their responses. */
import { type Answer, type Connection, type Exchange, headerOf } from './connection.ts'

/** The creation URL of every server. */
export const PATH = '/files'

const COMMON = 'HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n'

/** A POST. `onCreated` receives the path of the new upload. */
export function creation (creationPath: string, length: number, onCreated: (path: string) => void): Exchange {
  return {
    request: { head: `POST ${creationPath} ${COMMON}Upload-Length: ${length}\r\nContent-Length: 0\r\n\r\n` },
    check: (answer) => {
      expectStatus(answer, 201, 'POST')
      const location = headerOf(answer.head, 'location')
      if (location === undefined) throw new Error('POST returned no Location')
      onCreated(pathOf(location))
    }
  }
}

export function patch (path: string, offset: number, body: Buffer): Exchange {
  return {
    request: { head: patchHead(path, offset, body.length), body },
    check: (answer) => expectOffset(answer, 204, offset + body.length, 'PATCH')
  }
}

export function patchHead (path: string, offset: number, length: number): string {
  return `PATCH ${path} ${COMMON}Upload-Offset: ${offset}\r\nContent-Type: application/offset+octet-stream\r\n` +
    `Content-Length: ${length}\r\n\r\n`
}

export function head (path: string, offset: number): Exchange {
  return {
    request: { head: `HEAD ${path} ${COMMON}\r\n`, isHead: true },
    check: (answer) => expectOffset(answer, 200, offset, 'HEAD')
  }
}

/** Creates an upload and returns its path. */
export async function create (connection: Connection, creationPath: string, length: number): Promise<string> {
  let path = ''
  const { request, check } = creation(creationPath, length, (created) => { path = created })
  check(await connection.ask(request))
  return path
}

/** Sends `bytes` in PATCH requests of at most `size` bytes each. */
export async function send (connection: Connection, path: string, bytes: Buffer, size: number): Promise<void> {
  let offset = 0
  await connection.series(() => {
    if (offset === bytes.length) return undefined
    const exchange = patch(path, offset, bytes.subarray(offset, offset + size))
    offset = Math.min(offset + size, bytes.length)
    return exchange
  })
}

/** The id of an upload: the last part of its path. */
export function idOf (path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

export function expectStatus ({ status }: Answer, expected: number, what: string): void {
  if (status !== expected) throw new Error(`${what} returned ${status}, not ${expected}`)
}

export function expectOffset (answer: Answer, status: number, offset: number, what: string): void {
  expectStatus(answer, status, what)
  const told = headerOf(answer.head, 'upload-offset')
  if (told !== String(offset)) throw new Error(`${what} returned Upload-Offset ${told}, not ${offset}`)
}

function pathOf (location: string): string {
  return location.startsWith('/') ? location : new URL(location).pathname
}
