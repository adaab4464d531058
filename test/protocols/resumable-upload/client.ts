import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import type { FastifyTusOptions } from '../../../plugin/index.ts'
import { build } from '../../helper.ts'
import type { Built } from '../../helper.ts'

type Headers = Record<string, string>

export interface Client extends Built {
  /** A request without headers of tus. */
  send (method: string, url: string, headers?: Headers, body?: string | Buffer): Promise<LightMyRequestResponse>
  /** A creation with `Upload-Complete`; the version is 9. */
  begin (complete: '?0' | '?1', body?: string | Buffer, headers?: Headers): Promise<LightMyRequestResponse>
  append (
    location: string, offset: number, complete: '?0' | '?1', body?: string, headers?: Headers
  ): Promise<LightMyRequestResponse>
  state (location: string, headers?: Headers): Promise<LightMyRequestResponse>
}

export const version = { 'upload-draft-interop-version': '9' }

/** An app that serves Resumable Uploads for HTTP, and a client. */
export async function buildResumable (
  t: Test, options: FastifyTusOptions = {}, prepare?: Parameters<typeof build>[3]
): Promise<Client> {
  const built = await build(t, { resumableUpload: true, ...options }, {}, prepare)
  const send: Client['send'] = (method, url, headers = {}, payload) => built.app.inject({
    method: method as 'GET', url, headers, ...payload === undefined ? {} : { payload }
  })
  return {
    ...built,
    send,
    begin: (complete, body, headers = {}) =>
      send('POST', '/files', { ...version, 'upload-complete': complete, ...headers }, body),
    append: (location, offset, complete, body, headers = {}) => send('PATCH', location, {
      ...version,
      'upload-complete': complete,
      'upload-offset': String(offset),
      'content-type': 'application/partial-upload',
      ...headers
    }, body),
    state: (location, headers = {}) => send('HEAD', location, { ...version, ...headers })
  }
}

export function locationOf ({ headers, statusCode, body }: LightMyRequestResponse): string {
  if (headers.location === undefined) throw new Error(`not created: ${statusCode} ${body}`)
  return headers.location
}
