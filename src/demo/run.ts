import { createReadStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.ts'
import type { Child } from './child.ts'
import { compare, reportSource } from './compare.ts'
import { DemoError } from './errors.ts'
import { mebibytes, Progress } from './progress.ts'
import type { Output } from './progress.ts'
import type { Source } from './source.ts'
import { Steps } from './steps.ts'
import { askOffset, transfer } from './transfer.ts'

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
  const steps = new Steps(output)
  const hash = await reportSource(source, steps)

  const directory = join(workplace, 'files')
  await mkdir(directory)
  const first = await startServer({ FILES_DIR: directory, PORT: '0' })
  steps.say(`Started a server, process ${first.pid}, at ${first.endpoint}`)

  const sliceSize = Math.min(Math.max(Math.ceil(source.size / 16), 1024), 4 * 1024 * 1024)
  steps.say(`Sending in slices of ${mebibytes(sliceSize)}`)
  const { url, accepted, sent } = await sendUntilKilled(source, sliceSize, first, directory, output)
  steps.say(`Killed the server (SIGKILL) in the middle of a slice, after ${mebibytes(sent)}`)
  steps.note(`it had acknowledged ${mebibytes(accepted)}`)

  const second = await startServer({ FILES_DIR: directory, PORT: new URL(first.endpoint).port })
  steps.say(`Restarted the server on the same port, process ${second.pid}`)

  const offset = await askOffset(url)
  steps.say(`The server has ${mebibytes(offset)} (Upload-Offset: ${offset})`)
  if (offset < accepted) throw new DemoError(`Bytes lost: the server had acknowledged ${accepted}`)

  steps.say(`Sending the rest, ${mebibytes(source.size - offset)}`)
  const resumedAt = await sendRest(source, sliceSize, url, offset, output)
  steps.note(`the first slice began at byte ${resumedAt}`)

  await compare(hash, createReadStream(join(directory, basename(url))), url, steps)
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

/** Waits until the server has written some bytes of a slice to disk; but not forever, as it may buffer small ones. */
async function untilLonger (path: string, length: number): Promise<void> {
  for (let tries = 0; tries < 25; tries++) {
    await sleep(20)
    if ((await stat(path)).size > length) return
  }
}
