import { fillBar, inside, write } from '../dom.ts'
import { formatBytes, formatPercent } from '../format.ts'
import { language, text } from '../i18n.ts'
import { autoplay } from './autoplay.ts'
import { follow } from './follow.ts'
import type { Growth } from './look.ts'
import { isBeyond, playableUntil } from './timeline.ts'

// After so long without data, although the server has it, the player is stuck, in ms.
const patience = 6000

// If nothing can be shown of so many bytes, in so many ms, the index of a video is probably at its end.
const muchForNothing = 4 * 1024 * 1024
const longForNothing = 3000

// How long a notice stays although it plays on at once, in ms: the time to read it.
const readingTime = 4000

/**
 * Plays an upload with the browser's own player, also while it grows. The server holds its answer open until the bytes
 * are there; what a browser makes badly of that, this mends: a seek into what is not there yet, and a connection that
 * broke.
 */
export class Player {
  #root: HTMLElement
  #video: HTMLVideoElement
  #url = ''
  #growth: Growth = { offset: 0, length: null }
  #unfollow = () => {}
  #stuck: ReturnType<typeof setTimeout> | undefined
  #slow: ReturnType<typeof setTimeout> | undefined
  // Where to go on once more bytes are there, in seconds.
  #broken: number | null = null
  // How often it failed before it had even begun.
  #failures = 0
  #words = ''
  // While a notice is shown, other words wait behind it.
  #notice: ReturnType<typeof setTimeout> | undefined

  /** `root` holds a `video`, the button for its sound, a `progress` and the places for words. */
  constructor (root: HTMLElement) {
    this.#root = root
    this.#video = inside(root, 'video')
    const video = this.#video
    video.addEventListener('seeking', () => this.#checkSeek())
    video.addEventListener('waiting', () => this.#watchStuck())
    video.addEventListener('playing', () => this.#going())
    video.addEventListener('loadeddata', () => this.#shown())
    video.addEventListener('error', () => this.#failed())
  }

  get #isAudio (): boolean { return this.#root.dataset.kind === 'audio' }
  get #isWhole (): boolean { return this.#growth.offset === this.#growth.length }

  /** Begins to play. Only one player may do so in a page: each holds one of the six connections to the server. */
  play (url: string, type: string): void {
    this.close()
    this.#url = url
    this.#root.dataset.kind = type.startsWith('audio/') ? 'audio' : 'video'
    this.#say(text('loading'))
    this.#unfollow = follow(url, growth => this.#grow(growth), () => this.#gone())
    this.#load(0)
  }

  /** Lets go of the connections. */
  close (): void {
    this.#unfollow()
    clearTimeout(this.#stuck)
    clearTimeout(this.#slow)
    this.#broken = null
    this.#failures = 0
    this.#growth = { offset: 0, length: null }
    this.#url = ''
    this.#video.removeAttribute('src')
    this.#video.load()
    inside(this.#root, '.there').hidden = true
    this.#say('')
    this.#endNotice()
  }

  // For good: what the browser's player makes of its broken connection is no news.
  #gone (): void {
    this.close()
    this.#say(text('watchGone'))
  }

  #load (time: number): void {
    this.#broken = null
    // Chromium remembers of a URL where it was refused, so that the whole file needs another one.
    this.#video.src = this.#isWhole ? `${this.#url}?finished` : this.#url
    this.#video.currentTime = time
    this.#watchSlow()
    autoplay(this.#video, inside(this.#root, '.sound')).catch(reportError)
  }

  #grow (growth: Growth): void {
    const wasWhole = this.#isWhole
    const before = this.#growth.offset
    this.#growth = growth
    const { offset, length } = growth
    const there = inside(this.#root, '.there')
    there.hidden = length === null || this.#isWhole
    if (length !== null) {
      // An empty file has all of its bytes.
      const share = length > 0 ? offset / length : 1
      fillBar(inside<HTMLProgressElement>(there, 'progress'), share, share)
      write(inside(there, '.there-text'), text('there', {
        percent: formatPercent(offset, length, language()),
        size: formatBytes(length, language())
      }))
    }
    const hasGrown = this.#isWhole ? !wasWhole : offset > before
    if (this.#broken !== null && hasGrown && (this.#failures < 3 || this.#isWhole)) this.#load(this.#broken)
    // What has waited for the end of the file need not find it by itself.
    else if (hasGrown && this.#isWhole && this.#video.readyState === 0) this.#load(0)
  }

  // A seek into what is not there blocks the browser's player, which does not even come back by another seek.
  #checkSeek (): void {
    const { duration, currentTime } = this.#video
    const { offset, length } = this.#growth
    if (length === null || !Number.isFinite(duration)) return
    const extent = { offset, length, duration }
    if (!isBeyond(currentTime, extent)) return
    this.#load(playableUntil(extent))
    this.#notify(text('seekTooFar'))
  }

  #watchSlow (): void {
    clearTimeout(this.#slow)
    this.#slow = setTimeout(() => {
      if (this.#video.readyState > 0 || this.#isWhole) return
      if (this.#growth.offset > muchForNothing) this.#say(text('notYet'))
      this.#watchSlow()
    }, longForNothing)
  }

  #watchStuck (): void {
    clearTimeout(this.#stuck)
    if (!this.#url) return
    this.#stuck = setTimeout(() => {
      const { duration, currentTime } = this.#video
      const { offset, length } = this.#growth
      if (length === null || !Number.isFinite(duration)) return
      if (currentTime < playableUntil({ offset, length, duration })) this.#load(currentTime)
      else this.#watchStuck()
    }, patience)
    if (!this.#isWhole && this.#video.readyState > 0) this.#say(text('waitingForBytes'))
  }

  // The first picture is there. It plays, or the browser wants a click before.
  #shown (): void {
    const { videoWidth, paused } = this.#video
    if (videoWidth === 0 && !this.#isAudio) return this.#say(text('codecWarning'))
    this.#say(paused ? text('pressPlay') : '')
  }

  #going (): void {
    clearTimeout(this.#stuck)
    if (!this.#url) return
    this.#failures = 0
    if (this.#video.videoWidth > 0 || this.#isAudio) this.#say('')
  }

  #failed (): void {
    if (!this.#url) return
    // The connection broke, or not even the beginning is there; or it is a file that a browser cannot play.
    this.#failures++
    if (this.#isWhole && this.#failures > 4) return this.#say(text('cannotPlay'))
    this.#say(text(this.#video.readyState === 0 ? 'notYet' : 'waitingForBytes'))
    if (this.#isWhole) this.#load(this.#video.currentTime)
    else this.#broken = this.#video.currentTime
  }

  #say (words: string): void {
    this.#words = words
    if (this.#notice === undefined) this.#show(words)
  }

  #notify (words: string): void {
    clearTimeout(this.#notice)
    this.#notice = setTimeout(() => this.#endNotice(), readingTime)
    this.#show(words)
  }

  #endNotice (): void {
    clearTimeout(this.#notice)
    this.#notice = undefined
    this.#show(this.#words)
  }

  #show (words: string): void {
    write(inside(this.#root, '.player-words'), words)
  }
}
