import { inside } from '../dom.ts'
import { autoplay } from '../watch/autoplay.ts'
import { look } from '../watch/look.ts'
import { findCodecs } from './codecs.ts'

/** The callbacks of a viewer. */
export interface ViewerEvents {
  onState: (state: LiveState) => void
}

/**
 * `live`: bytes arrive; `waiting`: none arrive, for example because the recorder has no network; `lost`: the server
 * does not respond; `over`: the recording is complete; `gone`: there is no such upload.
 */
export type LiveState = 'live' | 'waiting' | 'lost' | 'over' | 'gone' | 'unsupported'

// How far to play behind the newest picture, in seconds. Shorter delays stutter.
const target = 0.7
const tooFar = 3
const keepBehind = 30

// The codecs are described within these first bytes.
const mostHead = 64 * 1024

// A recorder sends four pieces per second. After this time without a piece, the connection may be dead, in ms.
const patience = 4000

/** Plays a recording while it grows: reads the tail of the upload and feeds the player of the browser. */
export class LiveViewer {
  #root: HTMLElement
  #video: HTMLVideoElement
  #url: string
  #type: string
  #events: ViewerEvents
  #source: MediaSource | null = null
  // Bytes that arrive before the codecs are known, which are needed to create a buffer.
  #head = new Blob([])
  #buffer: SourceBuffer | null = null
  #position = 0
  #state: LiveState = 'live'

  /** `root` contains a `video` and the button for its sound; `type` is the media type of the recording. */
  constructor (root: HTMLElement, url: string, type: string, events: ViewerEvents) {
    this.#root = root
    this.#video = inside(root, 'video')
    this.#url = url
    this.#type = type
    this.#events = events
  }

  /** Plays until the recording ends. */
  async start (): Promise<void> {
    if (!('MediaSource' in window)) return this.#tell('unsupported')
    const source = this.#source = new MediaSource()
    const objectUrl = this.#video.src = URL.createObjectURL(source)
    await new Promise(resolve => source.addEventListener('sourceopen', resolve, { once: true }))
    URL.revokeObjectURL(objectUrl)
    autoplay(this.#video, inside(this.#root, '.sound')).catch(reportError)
    const pace = setInterval(() => this.#keepUp(), 250)
    let state: LiveState = 'live'
    while (['live', 'waiting', 'lost'].includes(state)) {
      await this.#readTail()
      state = await this.#askWhy()
      this.#tell(state)
      await new Promise(resolve => setTimeout(resolve, 1000))
    }
    if (source.readyState === 'open') source.endOfStream()
    clearInterval(pace)
    this.#video.playbackRate = 1
  }

  // Reads from the current position until the connection ends, breaks or is silent.
  async #readTail (): Promise<void> {
    const connection = new AbortController()
    let silence: ReturnType<typeof setTimeout> | undefined
    const listen = () => {
      clearTimeout(silence)
      silence = setTimeout(() => {
        // `lost` is more precise than `waiting`.
        if (this.#state === 'live') this.#tell('waiting')
        connection.abort()
      }, patience)
    }
    listen()
    try {
      const { signal } = connection
      const response = await fetch(`${this.#url}?from=${this.#position}`, { signal, cache: 'no-store' })
      if (!response.ok || !response.body) return
      const reader = response.body.getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        listen()
        await this.#append(next.value)
        this.#position += next.value.length
        if (this.#buffer) this.#tell('live')
      }
    } catch {
      // The server is asked for the reason.
    } finally {
      clearTimeout(silence)
      connection.abort()
    }
  }

  // Why no more bytes came. The end of a response is the end of the recording only if the server confirms it.
  async #askWhy (): Promise<LiveState> {
    if (this.#video.error || this.#state === 'unsupported') return 'unsupported'
    try {
      const growth = await look(this.#url)
      if (growth === null) return 'gone'
      return growth.length !== null && this.#position >= growth.length ? 'over' : 'waiting'
    } catch {
      return 'lost'
    }
  }

  #tell (state: LiveState): void {
    this.#state = state
    this.#events.onState(state)
  }

  async #append (bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (!this.#buffer) return this.#begin(bytes)
    const buffer = this.#buffer
    await change(buffer, () => buffer.appendBuffer(bytes))
    const start = buffer.buffered.length > 0 ? buffer.buffered.start(0) : 0
    const old = this.#video.currentTime - keepBehind
    if (old > start + keepBehind) await change(buffer, () => buffer.remove(0, old))
  }

  async #begin (bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#head = new Blob([this.#head, bytes])
    const head = new Uint8Array(await this.#head.arrayBuffer())
    const codecs = findCodecs(head)
    if (codecs === null && head.length < mostHead) return
    const type = `${this.#type};codecs="${codecs}"`
    if (!this.#source || !MediaSource.isTypeSupported(type)) {
      this.#tell('unsupported')
      throw new Error(`no support for ${type}`)
    }
    const buffer = this.#buffer = this.#source.addSourceBuffer(type)
    await change(buffer, () => buffer.appendBuffer(head))
  }

  #keepUp (): void {
    const { buffered, currentTime } = this.#video
    if (buffered.length === 0 || this.#video.paused) return
    const behind = buffered.end(buffered.length - 1) - currentTime
    if (behind > tooFar) this.#video.currentTime = currentTime + behind - target
    this.#video.playbackRate = behind > target ? 1.15 : 1
  }
}

function change (buffer: SourceBuffer, act: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    // Handlers replace each other. Listeners would add up, four per second.
    buffer.onupdateend = () => resolve()
    buffer.onerror = () => reject(new Error('no media'))
    act()
  })
}
