import { mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import { DemoError } from './errors.ts'
import { mebibytes, Progress } from './progress.ts'
import type { Output } from './progress.ts'
import { sha256, sha256File } from './source.ts'
import type { Source } from './source.ts'
import { transfer } from './transfer.ts'

/** The state of the upload after its first part. */
interface Interrupted {
  url: string
  /** Bytes that the server has acknowledged. */
  accepted: number
  /** Bytes that were sent. */
  sent: number
}

/**
 * Sends a file, kills the server in the middle of a slice, starts it again, sends the rest, and compares.
 * @throws DemoError if any step has an unexpected result
 */
export async function runDemo (
  source: Source, workplace: string, output: Output, startServer = startChild
): Promise<void> {
  let steps = 0
  const say = (text: string) => { output.write(`${++steps}. ${text}\n`) }
  const note = (text: string) => { output.write(`   ${text}\n`) }

  const sliceSize = Math.min(Math.max(Math.ceil(source.size / 16), 1024), 4 * 1024 * 1024)
  say(`A file to send: ${source.name}, ${mebibytes(source.size)}`)
  const hash = await sha256File(source.path)
  note(`SHA-256 ${hash}`)

  const directory = join(workplace, 'files')
  await mkdir(directory)
  const first = await startServer({ FILES_DIR: directory, PORT: '0' })
  say(`Started a server, process ${first.pid}, at ${first.endpoint}`)

  say(`Sending in slices of ${mebibytes(sliceSize)}`)
  const { url, accepted, sent } = await sendUntilKilled(source, sliceSize, first, directory, output)
  say(`Killed the server (SIGKILL) in the middle of a slice, after ${mebibytes(sent)}`)
  note(`it had acknowledged ${mebibytes(accepted)}`)

  const second = await startServer({ FILES_DIR: directory, PORT: new URL(first.endpoint).port })
  say(`Restarted the server on the same port, process ${second.pid}`)

  const offset = await askOffset(url)
  say(`The server has ${mebibytes(offset)} (Upload-Offset: ${offset})`)
  if (offset < accepted) throw new DemoError(`Bytes lost: the server had acknowledged ${accepted}`)

  say(`Sending the rest, ${mebibytes(source.size - offset)}`)
  const resumedAt = await sendRest(source, sliceSize, url, offset, output)
  note(`the first slice began at byte ${resumedAt}`)

  say('Comparing the sent, the stored and the served file')
  const stored = await sha256File(join(directory, basename(url)))
  note(`SHA-256 ${stored}  stored`)
  const response = await fetch(url)
  const served = await sha256(Readable.fromWeb(response.body as ReadableStream))
  note(`SHA-256 ${served}  from GET, status ${response.status}`)
  if (stored !== hash) throw new DemoError('The stored file differs from the sent file')
  if (served !== hash) throw new DemoError('The served file differs from the sent file')
  output.write('\nOK: the file is identical, despite the crash of the server.\n')
}

async function sendUntilKilled (
  source: Source, sliceSize: number, server: Child, directory: string, output: Output
): Promise<Interrupted> {
  const sliceStart = Math.floor(source.size / 2 / sliceSize) * sliceSize
  const sliceEnd = Math.min(sliceStart + sliceSize, source.size)
  const sent = sliceStart + Math.floor((sliceEnd - sliceStart) / 2)
  let url = ''
  let accepted = 0
  let killed = false

  const progress = new Progress(output, source.size)
  await transfer({
    source,
    sliceSize,
    endpoint: server.endpoint,
    cut: {
      at: sent,
      async reached () {
        await untilLonger(join(directory, basename(url)), sliceStart)
        killed = true
        await server.kill()
      }
    },
    onUrl: value => { url = value },
    onAccepted: bytes => { accepted = bytes },
    onProgress: bytes => progress.update(bytes)
  }).catch(error => {
    if (!killed) throw new DemoError(`The upload failed before the server was killed: ${(error as Error).message}`)
  })
  progress.end()
  return { url, accepted, sent }
}

async function sendRest (
  source: Source, sliceSize: number, url: string, offset: number, output: Output
): Promise<number | undefined> {
  const slices: number[] = []
  const progress = new Progress(output, source.size, offset)
  await transfer({
    source,
    sliceSize,
    uploadUrl: url,
    onSlice: start => { slices.push(start) },
    onProgress: bytes => progress.update(bytes)
  }).catch(error => {
    throw new DemoError(`The upload could not be resumed: ${(error as Error).message}`)
  })
  progress.end()
  return slices[0]
}

async function askOffset (url: string): Promise<number> {
  const response = await fetch(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
  const offset = response.headers.get('upload-offset')
  if (offset === null) throw new DemoError(`The server no longer has the upload: status ${response.status}`)
  return Number(offset)
}

/** Waits until the server has written some bytes of a slice to disk; but not forever, as it may buffer small ones. */
async function untilLonger (path: string, length: number): Promise<void> {
  for (let tries = 0; tries < 25; tries++) {
    await sleep(20)
    if ((await stat(path)).size > length) return
  }
}
