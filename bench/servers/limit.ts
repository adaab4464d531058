/**
 * The limit: the minimal upload server on Node.js. It writes request bodies in batches to a file at an offset. No
 * protocol, no record, no checks, no locks.
 */
import fs from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { listen, options } from './serve.ts'

/** The request is paused if the next batch exceeds this many bytes. */
const BATCH = 1024 * 1024
let created = 0

listen((request, response) => {
  if (request.method === 'POST') post(response)
  else if (request.method === 'HEAD') head(request, response)
  else patch(request, response)
})

function fileOf (request: IncomingMessage): string {
  return path.join(options.directory, path.basename(request.url ?? ''))
}

function post (response: ServerResponse): void {
  const id = String(created++)
  fs.open(path.join(options.directory, id), 'wx', (error, descriptor) => {
    if (error !== null) throw error
    fs.close(descriptor, () => { response.writeHead(201, { location: `/files/${id}`, 'content-length': 0 }).end() })
  })
}

function head (request: IncomingMessage, response: ServerResponse): void {
  fs.stat(fileOf(request), (error, stats) => {
    if (error !== null) throw error
    response.writeHead(200, { 'upload-offset': stats.size }).end()
  })
}

function patch (request: IncomingMessage, response: ServerResponse): void {
  const state = { gathered: [] as Buffer[], bytes: 0, writing: true, ended: false }
  let position = Number(request.headers['upload-offset'])
  let descriptor = -1
  request.on('data', (data: Buffer) => {
    state.gathered.push(data)
    state.bytes += data.length
    if (state.bytes > BATCH) request.pause()
    if (!state.writing) write()
  })
  request.on('end', () => {
    state.ended = true
    if (!state.writing) finish()
  })
  fs.open(fileOf(request), 'r+', (error, opened) => {
    if (error !== null) throw error
    descriptor = opened
    go()
  })

  function go (): void {
    state.writing = false
    if (state.gathered.length > 0) write()
    else if (state.ended) finish()
  }

  function write (): void {
    const { gathered, bytes } = state
    Object.assign(state, { gathered: [], bytes: 0, writing: true })
    request.resume()
    fs.writev(descriptor, gathered, position, (error, written) => {
      if (error !== null || written !== bytes) throw error ?? new Error('the disk is full')
      position += written
      go()
    })
  }

  function finish (): void {
    fs.close(descriptor, () => { response.writeHead(204, { 'upload-offset': position }).end() })
  }
}
