import type { Readable } from 'node:stream'
import { errors } from '../../errors.ts'
import type { ExpectedChecksum } from './checksum.ts'
import type { Stop } from '../release-signal.ts'

/** The body of a request, on its way. */
export interface Body {
  stream: Readable
  /** How many bytes are announced; `undefined` where they are not counted before. */
  length: number | undefined
  /** Tells the client that the body is wanted. */
  accept: () => void
  /** Ends the connection. */
  close: () => void
  /** Whether the buffer that comes now is for nobody but the one who stores it. */
  isUnshared: () => boolean
  /** What the body must hash to, where the client says so. */
  expected?: ExpectedChecksum | undefined
}

export interface PumpOptions {
  /** How many bytes may come. */
  limit: number
  /** After how long without a byte the connection is closed, in ms; 0: never. */
  idleTimeout: number
  /** Asks for when the body must not be read on. */
  stop: Stop
  /**
   * Takes the next batch; not called again before it resolves.
   * @param unshared - whether nobody else was given any of the buffers
   */
  write: (buffers: Buffer[], bytes: number, unshared: boolean) => Promise<void>
}

/**
 * How a body ended. `complete`: all of it was written. `stopped`: what came was written, and `error` says why there is
 * no more. `overrun`: more came than may. `failed`: `write` failed with `error`.
 */
export type Pumped =
  | { outcome: 'complete' }
  | { outcome: 'overrun' }
  | { outcome: 'stopped' | 'failed', error: Error }

/** A batch is written once it is so large, in bytes … */
const BATCH_BYTES = 1024 * 1024
/** … or has so many buffers, as many as one system call takes … */
const BATCH_BUFFERS = 1024
/** … or its first bytes have waited so long, in ms: what a slow client sends must not lie here. */
const BATCH_MS = 20

/**
 * Moves a body into the store, batch by batch: no stream in between, no copy, one write under way at a time. While that
 * goes on the next batch gathers; when that is full too, the client is held back. A small body is one batch, whatever
 * pieces it comes in: each call of the system costs more than 64 KiB do.
 * @returns how it ended, once nothing is being written any more
 */
export function pump (body: Body, { limit, idleTimeout, stop, write }: PumpOptions): Promise<Pumped> {
  const { stream } = body
  return new Promise((resolve) => {
    let gathered: Buffer[] = []
    let gatheredBytes = 0
    let received = 0
    let writing = false
    let unshared = true
    let end: Pumped | undefined

    const finish = (how: Pumped) => {
      if (end !== undefined) return
      end = how
      clearTimeout(idle)
      clearTimeout(due)
      stream.off('data', onData).off('end', onEnd).off('close', onClose).pause()
      stop.listen(undefined)
      writeNext()
    }

    const take = (chunk: Buffer) => {
      received += chunk.length
      if (received > limit) {
        gathered = []
        finish({ outcome: 'overrun' })
      } else {
        gathered.push(chunk)
        gatheredBytes += chunk.length
      }
    }

    /** What this process has of the body already is part of what arrived. */
    const takeBuffered = () => {
      stream.off('data', onData).pause()
      unshared = false
      for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) take(chunk)
    }

    const isFull = () => gatheredBytes >= BATCH_BYTES || gathered.length >= BATCH_BUFFERS

    const onData = (chunk: Buffer) => {
      idle?.refresh()
      unshared &&= body.isUnshared()
      take(chunk)
      if (isFull()) writeNext()
      if (isFull()) stream.pause()
      waitForMore()
    }

    /** Also a batch that does not get full is written some time. */
    const waitForMore = () => {
      if (writing || end !== undefined || gathered.length === 0) return
      due ??= setTimeout(writeNext, BATCH_MS)
    }

    const writeNext = () => {
      if (writing) return
      clearTimeout(due)
      due = undefined
      if (gathered.length === 0) {
        if (end !== undefined) resolve(end)
        return
      }
      const batch = gathered
      const bytes = gatheredBytes
      gathered = []
      gatheredBytes = 0
      writing = true
      write(batch, bytes, unshared).then(() => {
        writing = false
        if (end !== undefined || isFull()) writeNext()
        if (end === undefined && stream.isPaused()) {
          stream.resume()
          idle?.refresh()
        }
        waitForMore()
      }, (error: Error) => {
        writing = false
        gathered = []
        end = undefined
        finish({ outcome: 'failed', error })
      })
    }

    const onEnd = () => finish({ outcome: 'complete' })
    const onClose = () => {
      takeBuffered()
      finish({ outcome: 'stopped', error: new errors.Interrupted() })
    }
    const onStop = () => {
      takeBuffered()
      const complete = stream.readableEnded || (stream as { complete?: boolean }).complete === true
      finish(complete ? { outcome: 'complete' } : { outcome: 'stopped', error: stop.reason as Error })
    }
    const onIdle = () => {
      // A client that is held back cannot send.
      if (stream.isPaused()) idle?.refresh()
      else {
        finish({ outcome: 'stopped', error: new errors.Interrupted() })
        body.close()
      }
    }

    let due: NodeJS.Timeout | undefined
    const idle = idleTimeout > 0 ? setTimeout(onIdle, idleTimeout) : undefined
    // 'close' follows and says the same.
    stream.on('error', () => {})
    // What is missing at the front would be stored at the wrong offset.
    if (stream.readableDidRead) finish({ outcome: 'failed', error: new errors.BodyRead() })
    else if (stream.readableEnded) onEnd()
    else if (stream.destroyed) onClose()
    else {
      body.accept()
      stream.on('data', onData).on('end', onEnd).on('close', onClose).resume()
      if (stop.reason === undefined) stop.listen(onStop)
      else onStop()
    }
  })
}
