import { fillBar, inside, write } from '../dom.ts'
import { formatBytes, formatPercent } from '../format.ts'
import { language, text } from '../i18n.ts'
import { autoplay } from './autoplay.ts'
import { follow } from './follow.ts'
import type { Growth } from './look.ts'
import { isBeyond, playableUntil } from './timeline.ts'

// After this time without data that the server has, the player is considered stuck, in ms.
const patience = 6000

// If nothing can be shown after this many bytes and ms, the index of the video is probably at its end.
const muchForNothing = 4 * 1024 * 1024
const longForNothing = 3000

// How long a notice stays readable although the video plays, in ms.
const readingTime = 4000

/**
 * Plays an upload with the native player of the browser, even while it grows. The server keeps the response open until
 * all bytes have arrived. This class handles the cases that browsers handle badly: a seek beyond the stored bytes and a
 * broken connection.
 */
export class Player {
  #root: HTMLElement
  #video: HTMLVideoElement
  #url = ''
  #growth: Growth = { offset: 0, length: null }
  #unfollow = () => {}
  #stuck: ReturnType<typeof setTimeout> | undefined
  #slow: ReturnType<typeof setTimeout> | undefined
  // Where to resume when more bytes have arrived, in seconds.
  #broken: number | null = null
  // How often loading has failed since it last played.
  #failures = 0
  #words = ''
  // While a notice is shown, other texts wait.
  #notice: ReturnType<typeof setTimeout> | undefined

  /** `root` contains a `video`, the button for its sound, a `progress` and the elements for texts. */
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

  /** Starts playing. Only one player may play at a time, because each holds one of six connections to the server. */
  play (url: string, type: string): void {
    this.close()
    this.#url = url
    this.#root.dataset.kind = type.startsWith('audio/') ? 'audio' : 'video'
    this.#say(text('loading'))
    this.#unfollow = follow(url, growth => this.#grow(growth), () => this.#gone())
    this.#load(0)
  }

  /** Closes the connections. */
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

  // For good. Later errors of the native player are ignored.
  #gone (): void {
    this.close()
    this.#say(text('watchGone'))
  }

  #load (time: number): void {
    this.#broken = null
    // Chromium remembers the refused ranges of a URL, so the complete file needs another URL.
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
      // An empty file is complete.
      const share = length > 0 ? offset / length : 1
      fillBar(inside<HTMLProgressElement>(there, 'progress'), share, share)
      write(inside(there, '.there-text'), text('there', {
        percent: formatPercent(offset, length, language()),
        size: formatBytes(length, language())
      }))
    }
    const hasGrown = this.#isWhole ? !wasWhole : offset > before
    if (this.#broken !== null && hasGrown && (this.#failures < 3 || this.#isWhole)) this.#load(this.#broken)
    // A video that waited for its end is loaded again.
    else if (hasGrown && this.#isWhole && this.#video.readyState === 0) this.#load(0)
  }

  // A seek beyond the stored bytes blocks the native player, and another seek does not unblock it.
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

  // The first frame is loaded. The video plays, or the browser requires a click first.
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
    // The connection broke, the beginning has not arrived, or the browser cannot play the file.
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
