import { Arrivals } from './arrivals.ts'
import { filesAtATime } from './lanes.ts'
import type { Preferences } from './preferences.ts'
import { isAskable, isAtRisk, isResumable } from './queue.ts'
import { restoreUploads, takeSource } from './restore.ts'
import type { RowAction } from './row-view.ts'
import type { FileUpload } from './upload.ts'
import { UploadList } from './upload-list.ts'
import { watch } from './watch-dialog.ts'

export interface AppOptions {
  /** Lets the visitor choose files. */
  choose: () => void
  /** An upload is finished, or was deleted. */
  onEnd: () => void
}

/** What a visitor can do with uploads, one or all. */
export class App {
  readonly list: UploadList
  readonly arrivals: Arrivals
  #endpoint: string
  #choose: () => void

  constructor (endpoint: string, preferences: Preferences, { choose, onEnd }: AppOptions) {
    this.#endpoint = endpoint
    this.#choose = choose
    this.list = new UploadList({
      atATime: () => filesAtATime(preferences.lanes),
      onAction: (action, upload) => this.act(action, upload),
      onChange: (upload, change) => this.arrivals.change(upload, change),
      onEnd,
      left: () => this.arrivals.left
    })
    this.arrivals = new Arrivals(endpoint, preferences, this.list)
  }

  /** Restores the unfinished uploads of earlier visits. */
  restore (): Promise<void> {
    return restoreUploads(this.#endpoint, this.list)
  }

  /** Whether the visitor would have to choose files again after leaving the page now. */
  get isAtRisk (): boolean {
    return this.arrivals.left !== null || this.list.uploads.some(isAtRisk)
  }

  act (action: RowAction, upload: FileUpload): void {
    switch (action) {
      case 'start':
      case 'resume':
        upload.resume()
        break
      case 'pause':
        upload.pause()
        break
      case 'retry':
        upload.retryNow()
        break
      case 'cancel':
        upload.cancel()
        break
      case 'watch':
        if (upload.url) watch(upload.url, upload.name, upload.record.type)
        break
      case 'remove':
        this.list.remove(upload)
        break
      case 'allow':
        this.continueAll([upload]).catch(reportError)
        break
      case 'chooseAgain':
        this.arrivals.expect(upload)
        this.#choose()
        break
    }
    this.list.startNext()
  }

  /** Asks the browser for the files whose handles it keeps. Must be called on a click. */
  async continueAll (uploads = this.list.uploads): Promise<void> {
    for (const upload of uploads.filter(isAskable)) {
      await takeSource(upload, true, this.list)
    }
    this.list.startNext()
  }

  pauseAll (): void {
    for (const upload of this.list.uploads) {
      if (['queued', 'uploading', 'waiting'].includes(upload.state)) upload.pause()
    }
  }

  resumeAll (): void {
    for (const upload of this.list.uploads) if (isResumable(upload)) upload.resume()
    this.list.startNext()
  }

  cancelAll (): void {
    this.arrivals.stop()
    for (const upload of this.list.open()) upload.cancel()
  }

  clearDone (): void {
    for (const upload of this.list.uploads.filter(({ state }) => state === 'done')) this.list.remove(upload)
  }

  /** Retries all waiting uploads at once, because the network or the visitor is back. */
  wake (): void {
    for (const upload of this.list.uploads) upload.retryNow()
  }
}
