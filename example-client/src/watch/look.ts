import contentDisposition from 'content-disposition'

/** How much of an upload is stored, in bytes. */
export interface Growth {
  offset: number
  /** `null` while it is unknown, as with a running recording. */
  length: number | null
}

/** The description of an upload, from the headers of its download. */
export interface Description {
  name: string | null
  /** The media type without parameters; empty if it is unknown. */
  type: string
}

// The types of Node.js, which runs the tests, do not declare `cache`.
const uncached = { cache: 'no-store' } as RequestInit

// How long a response may take, in ms. A browser waits for minutes if the server hangs.
const patience = 5000

/**
 * Returns how much of an upload is stored. Viewers ask for events, because a tus HEAD would displace the writer.
 * @returns `null` if there is no such upload
 * @throws Error if the server does not respond or responds with an error
 */
export async function look (url: string): Promise<Growth | null> {
  return ask(url, { Accept: 'text/event-stream' }, async response => {
    if (response.status === 404 || response.status === 410) return null
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
    const { headers, body } = response
    if (headers.get('Content-Type')?.startsWith('text/event-stream')) return firstProgress(body)
    // A server without events sends the file.
    const length = Number(headers.get('Content-Length'))
    return { offset: length, length }
  })
}

/** Returns the description of an upload, which is empty while it cannot be read. */
export async function describe (url: string): Promise<Description> {
  return ask(url, {}, async ({ ok, headers }) => ({
    name: ok ? nameOf(headers.get('Content-Disposition')) : null,
    type: ok ? headers.get('Content-Type')?.split(';')[0]?.trim() ?? '' : ''
  }))
}

/** Parses the data of a `progress` event; `null` if the upload is gone. */
export function readProgress (data: string): Growth | null {
  const { state, offset, length } = JSON.parse(data) as Growth & { state: string }
  return state === 'gone' ? null : { offset, length }
}

// Reads the needed part of a response and aborts the rest.
async function ask<T> (
  url: string, headers: Record<string, string>, read: (response: Response) => Promise<T>
): Promise<T> {
  const connection = new AbortController()
  const timer = setTimeout(() => connection.abort(), patience)
  try {
    return await read(await fetch(url, { ...uncached, headers, signal: connection.signal }))
  } finally {
    clearTimeout(timer)
    connection.abort()
  }
}

async function firstProgress (body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Growth | null> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error('no event')
    text += value
    const data = /^data: (.*)\n\n/m.exec(text)?.[1]
    if (data !== undefined) return readProgress(data)
  }
}

function nameOf (header: string | null): string | null {
  try {
    return contentDisposition.parse(header ?? '').parameters.filename ?? null
  } catch {
    return null
  }
}
