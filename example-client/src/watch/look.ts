import contentDisposition from 'content-disposition'

/** How much of an upload is stored, in bytes. */
export interface Growth {
  offset: number
  /** `null` while it is not known, as of a recording that goes on. */
  length: number | null
}

/** What an upload is, as its download says. */
export interface Description {
  name: string | null
  /** The media type, without parameters; empty if it is not known. */
  type: string
}

// The types of Node.js, in which this is tested, do not know it.
const uncached = { cache: 'no-store' } as RequestInit

// How long an answer may take, in ms. A browser would wait for minutes for a server that hangs.
const patience = 5000

/**
 * Looks how much of an upload is stored. Viewers ask for events, because a HEAD of tus would interrupt the writer.
 * @returns `null` if there is no such upload
 * @throws Error if the server does not answer, or with an error
 */
export async function look (url: string): Promise<Growth | null> {
  return ask(url, { Accept: 'text/event-stream' }, async response => {
    if (response.status === 404 || response.status === 410) return null
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
    const { headers, body } = response
    if (headers.get('Content-Type')?.startsWith('text/event-stream')) return firstProgress(body)
    // A server without such events sends the file.
    const length = Number(headers.get('Content-Length'))
    return { offset: length, length }
  })
}

/** Looks what an upload is. Of an upload that cannot be read yet nothing is known. */
export async function describe (url: string): Promise<Description> {
  return ask(url, {}, async ({ ok, headers }) => ({
    name: ok ? nameOf(headers.get('Content-Disposition')) : null,
    type: ok ? headers.get('Content-Type')?.split(';')[0]?.trim() ?? '' : ''
  }))
}

/** The data of an event `progress`; `null`: the upload is gone. */
export function readProgress (data: string): Growth | null {
  const { state, offset, length } = JSON.parse(data) as Growth & { state: string }
  return state === 'gone' ? null : { offset, length }
}

// Reads as much of an answer as is wanted, and ends it.
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
