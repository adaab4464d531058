import { discard } from '../deletions.ts'
import type { Wait } from '../retry.ts'
import { Transfer } from '../transfer.ts'
import { LiveSource } from './source.ts'

export type LiveKind = 'camera' | 'screen'

export interface LiveOptions {
  endpoint: string
  /** Without the extension, which depends on the format that the browser records. */
  title: string
  onUrl: (url: string) => void
  /** Recorded bytes, accepted bytes, and the reason of a wait. */
  onProgress: (recorded: number, accepted: number, wait: Wait | null) => void
  /** The recording has stopped; the upload of the rest continues. */
  onStop: () => void
  /** The complete recording is on the server, and its length is declared. */
  onDone: () => void
  /** The server has refused the recording for good. */
  onFailed: () => void
}

// Short pieces keep the delay short: about a second from the camera to the screen of a viewer.
const pieceMs = 250
const sliceSize = 4 * 1024 * 1024

// VP8 starts faster than codecs that compress better. Safari supports only MP4.
const types = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4']

/** Asks the browser for picture and sound. Rejects if the visitor denies it or there is no device. */
export function capture (kind: LiveKind): Promise<MediaStream> {
  const { mediaDevices } = navigator
  return kind === 'camera'
    ? mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: true })
    : mediaDevices.getDisplayMedia({ video: true, audio: true })
}

/** Records and uploads while recording. */
export class LiveRecording {
  readonly name: string
  readonly #recorder: MediaRecorder
  readonly #source = new LiveSource()
  readonly #transfer: Transfer

  constructor (stream: MediaStream, options: LiveOptions) {
    const mimeType = types.find(type => MediaRecorder.isTypeSupported(type)) ?? ''
    this.#recorder = new MediaRecorder(stream, { mimeType })
    const [filetype = ''] = this.#recorder.mimeType.split(';')
    this.name = `${options.title}.${filetype.endsWith('mp4') ? 'mp4' : 'webm'}`
    const tell = (accepted: number, wait: Wait | null) => options.onProgress(this.#source.bytes, accepted, wait)
    let accepted = 0
    const accept = (bytes: number) => {
      accepted = bytes
      tell(accepted, null)
    }
    this.#transfer = new Transfer(this.#source, {
      endpoint: options.endpoint,
      url: null,
      sliceSize,
      metadata: { filename: this.name, filetype },
      onUrl: options.onUrl,
      onLateUrl: discard,
      onAccepted: accept,
      onSent: () => {},
      onWait: why => tell(accepted, why),
      onDone: options.onDone,
      onFailed: options.onFailed
    })
    this.#recorder.addEventListener('dataavailable', ({ data }) => this.#source.add(data))
    this.#recorder.addEventListener('stop', () => {
      for (const track of stream.getTracks()) track.stop()
      this.#source.end()
      options.onStop()
    })
    // The browser has its own button that stops screen sharing.
    for (const track of stream.getVideoTracks()) track.addEventListener('ended', () => this.stop())
  }

  /** @throws the error of the browser if it cannot record the stream */
  start (): void {
    this.#recorder.start(pieceMs)
    this.#transfer.start()
  }

  /** Ends the recording. The upload of the rest continues. */
  stop (): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop()
  }

  retryNow (): void {
    this.#transfer.start()
  }
}

/** Finishes a recording whose tab was closed, with the bytes on the server. `false` if the server is not reachable. */
export async function closeRecording (url: string): Promise<boolean> {
  const headers = { 'Tus-Resumable': '1.0.0' }
  const head = await fetch(url, { method: 'HEAD', headers })
  if (head.status === 404 || head.status === 410 || head.headers.has('Upload-Length')) return true
  const offset = head.headers.get('Upload-Offset')
  if (!head.ok || offset === null) return false
  const response = await fetch(url, {
    method: 'PATCH',
    headers: {
      ...headers,
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': offset,
      'Upload-Length': offset
    }
  })
  return response.ok
}
