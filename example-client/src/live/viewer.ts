import { askAbout } from '../watch/about.ts'

/** What a viewer tells. */
export interface ViewerEvents {
  /** `live` plays, `waiting` has lost the connection or waits for bytes, `over` has all, `gone` there is nothing. */
  onState: (state: 'live' | 'waiting' | 'over' | 'gone' | 'unsupported') => void
}

// How far behind the newest picture to play, in seconds: closer stutters.
const target = 0.7
const tooFar = 3
const keepBehind = 30

/** Plays a recording while it is made: reads the upload's tail and feeds the browser's player with it. */
export class LiveViewer {
  #video: HTMLVideoElement
  #url: string
  #events: ViewerEvents
  #buffer: SourceBuffer | null = null
  #position = 0
  #stopped = new AbortController()

  constructor (video: HTMLVideoElement, url: string, events: ViewerEvents) {
    this.#video = video
    this.#url = url
    this.#events = events
  }

  /** Plays until the recording is over. `type` names the codecs too. */
  async start (type: string): Promise<void> {
    if (!('MediaSource' in window) || !MediaSource.isTypeSupported(type)) return this.#events.onState('unsupported')
    const source = new MediaSource()
    this.#video.src = URL.createObjectURL(source)
    await new Promise(resolve => source.addEventListener('sourceopen', resolve, { once: true }))
    this.#buffer = source.addSourceBuffer(type)
    this.#video.play().catch(() => {})
    const pace = setInterval(() => this.#keepUp(), 250)
    try {
      while (!this.#stopped.signal.aborted && !await this.#readTail()) {
        this.#events.onState('waiting')
        await new Promise(resolve => setTimeout(resolve, 1000))
      }
      if (source.readyState === 'open') source.endOfStream()
    } finally {
      clearInterval(pace)
      this.#video.playbackRate = 1
    }
  }

  stop (): void {
    this.#stopped.abort()
  }

  // Reads on from where it was; `true` when there is no more to come.
  async #readTail (): Promise<boolean> {
    const { signal } = this.#stopped
    try {
      const response = await fetch(`${this.#url}?from=${this.#position}`, { signal, cache: 'no-store' })
      if (response.status === 404 || response.status === 410) {
        this.#events.onState('gone')
        return true
      }
      if (!response.ok || !response.body) return false
      const reader = response.body.getReader()
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        await this.#append(next.value)
        this.#position += next.value.length
        this.#events.onState('live')
      }
      // The end of the answer is the end of the recording only if the server says so.
      const about = await askAbout(this.#url)
      const over = about === null || (about.length !== null && this.#position >= about.length)
      if (over) this.#events.onState('over')
      return over
    } catch {
      return false
    }
  }

  async #append (bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const buffer = this.#buffer
    if (!buffer) return
    await change(buffer, () => buffer.appendBuffer(bytes))
    const start = buffer.buffered.length > 0 ? buffer.buffered.start(0) : 0
    const old = this.#video.currentTime - keepBehind
    if (old > start + keepBehind) await change(buffer, () => buffer.remove(0, old))
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
    buffer.addEventListener('updateend', () => resolve(), { once: true })
    buffer.addEventListener('error', () => reject(new Error('no media')), { once: true })
    act()
  })
}
