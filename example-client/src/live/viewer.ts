import { inside } from '../dom.ts'
import { autoplay } from '../watch/autoplay.ts'
import { look } from '../watch/look.ts'
import { findCodecs } from './codecs.ts'

/** What a viewer tells. */
export interface ViewerEvents {
  onState: (state: LiveState) => void
}

/**
 * `live`: bytes come; `waiting`: none come, as when the recorder has no network; `lost`: the server does not answer;
 * `over`: all is there; `gone`: there is nothing.
 */
export type LiveState = 'live' | 'waiting' | 'lost' | 'over' | 'gone' | 'unsupported'

// How far behind the newest picture to play, in seconds: closer stutters.
const target = 0.7
const tooFar = 3
const keepBehind = 30

// The codecs are named at the very beginning, in bytes.
const mostHead = 64 * 1024

// A recorder sends four pieces a second: after so long without one the connection may be dead, in ms.
const patience = 4000

/** Plays a recording while it is made: reads the upload's tail and feeds the browser's player with it. */
export class LiveViewer {
  #root: HTMLElement
  #video: HTMLVideoElement
  #url: string
  #type: string
  #events: ViewerEvents
  #source: MediaSource | null = null
  // What was read while the codecs are not known, without which there is no buffer.
  #head = new Blob([])
  #buffer: SourceBuffer | null = null
  #position = 0
  #state: LiveState = 'live'

  /** `root` holds a `video` and the button for its sound; `type` is the media type of the recording. */
  constructor (root: HTMLElement, url: string, type: string, events: ViewerEvents) {
    this.#root = root
    this.#video = inside(root, 'video')
    this.#url = url
    this.#type = type
    this.#events = events
  }

  /** Plays until the recording is over. */
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

  // Reads on from where it was, until the connection ends, breaks or is silent.
  async #readTail (): Promise<void> {
    const connection = new AbortController()
    let silence: ReturnType<typeof setTimeout> | undefined
    const listen = () => {
      clearTimeout(silence)
      silence = setTimeout(() => {
        // Of a server that does not answer more is known.
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
      // Why, is asked of the server.
    } finally {
      clearTimeout(silence)
      connection.abort()
    }
  }

  // Why no more came. The end of an answer is the end of the recording only if the server says so.
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
    // Each takes the place of the last one: of listeners, those for errors would add up, four in a second.
    buffer.onupdateend = () => resolve()
    buffer.onerror = () => reject(new Error('no media'))
    act()
  })
}
