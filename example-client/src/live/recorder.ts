import { discard } from '../deletions.ts'
import type { Wait } from '../retry.ts'
import { Transfer } from '../transfer.ts'
import { LiveSource } from './source.ts'

export type LiveKind = 'camera' | 'screen'

export interface LiveOptions {
  endpoint: string
  /** Without the ending, which says what the browser has made of it. */
  title: string
  onUrl: (url: string) => void
  /** Bytes that were recorded and that the server has; why nothing moves, if so. */
  onProgress: (recorded: number, accepted: number, wait: Wait | null) => void
  /** Nothing more is recorded; what is not on the server yet goes on. */
  onStop: () => void
  /** All of it is on the server, and closed. */
  onDone: () => void
  /** The server has refused it for good. */
  onFailed: () => void
}

// Short pieces make a short delay: about a second from the camera to the viewer's screen.
const pieceMs = 250
const sliceSize = 4 * 1024 * 1024

// VP8 begins faster than what compresses better; Safari has mp4 only.
const types = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4']

/** Asks the browser for pictures and sound. Rejects when the visitor, or the machine, says no. */
export function capture (kind: LiveKind): Promise<MediaStream> {
  const { mediaDevices } = navigator
  return kind === 'camera'
    ? mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } }, audio: true })
    : mediaDevices.getDisplayMedia({ video: true, audio: true })
}

/** Records, and uploads while it records. */
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
    // The browser has a button of its own that ends the sharing of a screen.
    for (const track of stream.getVideoTracks()) track.addEventListener('ended', () => this.stop())
  }

  /** @throws what the browser says where it can record nothing from the stream */
  start (): void {
    this.#recorder.start(pieceMs)
    this.#transfer.start()
  }

  /** Ends the recording; what is not on the server yet goes on. */
  stop (): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop()
  }

  retryNow (): void {
    this.#transfer.start()
  }
}

/** Closes a recording that its tab has left behind: what the server has is all. `false`: it could not be reached. */
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
