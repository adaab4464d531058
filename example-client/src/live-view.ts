import { byId, copyOf, inside, write, writeTexts } from './dom.ts'
import { formatBytes, formatClock } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'
import { LiveRecording, capture, closeRecording } from './live/recorder.ts'
import type { LiveKind } from './live/recorder.ts'
import { disown, makeId, own } from './ownership.ts'
import { alertVisitor } from './page-view.ts'
import type { Wait } from './retry.ts'
import { store } from './store.ts'
import { watchUrl } from './watch-dialog.ts'

/** Records the camera or the screen and uploads while recording. */
export class LiveView {
  #endpoint: string
  #recording: LiveRecording | null = null
  // The buttons stay while the browser asks for permission. Of two recordings only one could be stopped.
  #starting = false
  #onEnd: () => void
  #copied: ReturnType<typeof setTimeout> | undefined
  // Recorded bytes, accepted bytes, and the reason of a wait.
  #progress: [number, number, Wait | null] = [0, 0, null]

  /** `onEnd` is called when a recording is completely on the server. */
  constructor (endpoint: string, onEnd: () => void) {
    this.#endpoint = endpoint
    this.#onEnd = onEnd
    byId('record-camera').addEventListener('click', () => { this.#start('camera').catch(reportError) })
    byId('record-screen').addEventListener('click', () => { this.#start('screen').catch(reportError) })
    byId('live-stop').addEventListener('click', () => this.#recording?.stop())
    byId('live-close').addEventListener('click', () => {
      byId('live').hidden = true
      byId('choose').focus()
    })
    byId('live-copy').addEventListener('click', () => {
      const copied = navigator.clipboard.writeText(this.#link.href)
      copied.then(() => this.#showCopied()).catch(reportError)
    })
    this.render()
  }

  /** Whether leaving the page would lose a recording. */
  get busy (): boolean { return this.#recording !== null }

  get #link (): HTMLAnchorElement { return inside<HTMLAnchorElement>(byId('live-link'), 'a') }

  /** Shows buttons for the sources that this machine can record. */
  render (): void {
    const busy = this.busy
    const devices = navigator.mediaDevices as Partial<MediaDevices> | undefined
    const can = 'MediaRecorder' in window
    byId('record-camera').hidden = !can || !devices?.getUserMedia || busy
    byId('record-screen').hidden = !can || !devices?.getDisplayMedia || busy
  }

  /** Finds recordings whose tab is closed, and offers to finish them. */
  async restore (): Promise<void> {
    for (const record of await store.recordings().catch(() => [])) {
      if (!await own(record.id)) continue
      const node = copyOf('abandoned-row')
      write(inside(node, 'p'), text('abandoned', { name: record.name }))
      writeTexts(node)
      inside(node, 'button').addEventListener('click', () => {
        closeRecording(record.url).catch(() => false).then(async closed => {
          if (!closed) return write(inside(node, 'p'), text('abandonedFailed'))
          await store.deleteRecording(record.id)
          disown(record.id)
          node.remove()
          this.#onEnd()
          write(byId('status'), text('abandonedClosed', { name: record.name }))
          byId('choose').focus()
        }).catch(reportError)
      })
      byId('abandoned').append(node)
    }
  }

  /** Retries at once if it waits. */
  wake (): void {
    this.#recording?.retryNow()
  }

  async #start (kind: LiveKind): Promise<void> {
    if (this.#starting) return
    this.#starting = true
    await this.#record(kind).finally(() => { this.#starting = false })
  }

  async #record (kind: LiveKind): Promise<void> {
    const stream = await capture(kind).catch(() => null)
    if (!stream) return alertVisitor(text('captureRefused'))
    const id = makeId()
    const recording = await this.#begin(stream, id, kind).catch(() => null)
    if (!recording) {
      for (const track of stream.getTracks()) track.stop()
      disown(id)
      return alertVisitor(text('captureRefused'))
    }
    this.#recording = recording
    this.#progress = [0, 0, null]
    this.#entitle('liveTitle')
    const preview = byId<HTMLVideoElement>('live-preview')
    preview.srcObject = stream
    preview.play().catch(() => {})
    preview.hidden = false
    byId('live').hidden = byId('live-stop').hidden = false
    byId('live-link').hidden = byId('live-copy').hidden = byId('live-close').hidden = true
    write(byId('live-words'), '')
    this.render()
    byId('live-stop').focus()
  }

  // Rejects if the browser cannot record the stream.
  async #begin (stream: MediaStream, id: string, kind: LiveKind): Promise<LiveRecording> {
    await own(id)
    const title = `${text(kind === 'camera' ? 'nameCamera' : 'nameScreen')} ${timestamp(new Date())}`
    const recording = new LiveRecording(stream, {
      endpoint: this.#endpoint,
      title,
      onUrl: url => {
        store.putRecording({ id, url, name: recording.name }).catch(() => {})
        this.#showLink(url)
      },
      onProgress: (...progress) => {
        this.#progress = progress
        this.#showProgress()
      },
      onStop: () => {
        if (this.#recording === recording) this.#stopped()
      },
      onDone: () => this.#end(id, text('liveDone')),
      onFailed: () => {
        this.#end(id, text('liveFailed'))
        // There is nothing to watch.
        byId('live-link').hidden = byId('live-copy').hidden = true
      }
    })
    recording.start()
    return recording
  }

  #showLink (url: string): void {
    this.#link.href = watchUrl(url)
    write(this.#link, this.#link.href)
    byId('live-link').hidden = false
    byId('live-copy').hidden = !('clipboard' in navigator)
  }

  #showCopied (): void {
    write(byId('status'), text('copied'))
    this.#labelCopy('copiedShort')
    clearTimeout(this.#copied)
    this.#copied = setTimeout(() => this.#labelCopy('copyLink'), 2000)
  }

  #labelCopy (key: TextKey): void {
    byId('live-copy').dataset.text = key
    write(byId('live-copy'), text(key))
  }

  #showProgress (): void {
    const [recorded, accepted, wait] = this.#progress
    const size = (bytes: number) => formatBytes(bytes, language())
    if (byId('live-stop').hidden) {
      const amounts = { recorded: size(recorded), accepted: size(accepted) }
      return write(byId('live-words'), text(wait ? 'liveLeftAway' : 'liveLeft', amounts))
    }
    // The preview runs as long as the recording.
    const time = formatClock(byId<HTMLVideoElement>('live-preview').currentTime)
    const amounts = { time, recorded: size(recorded), accepted: size(accepted) }
    write(byId('live-words'), text(wait ? 'liveAway' : 'liveProgress', amounts))
  }

  // The rest may take long, for example if the server is down.
  #stopped (): void {
    const focused = document.activeElement === byId('live-stop')
    byId('live-stop').hidden = true
    byId('live-preview').hidden = true
    this.#entitle('liveTitleStopped')
    if (focused) byId('live-title').focus()
    this.#showProgress()
  }

  #entitle (key: TextKey): void {
    byId('live-title').dataset.text = key
    write(byId('live-title'), text(key))
  }

  #end (id: string, words: string): void {
    this.#recording?.stop()
    this.#recording = null
    this.#stopped()
    store.deleteRecording(id).catch(() => {})
    disown(id)
    const preview = byId<HTMLVideoElement>('live-preview')
    preview.srcObject = null
    byId('live-close').hidden = false
    if (document.activeElement === byId('live-title')) byId('live-close').focus()
    write(byId('live-words'), words)
    write(byId('status'), words)
    this.render()
    this.#onEnd()
  }
}

function timestamp (date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  return `${day} ${two(date.getHours())}.${two(date.getMinutes())}.${two(date.getSeconds())}`
}
