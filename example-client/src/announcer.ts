import { byId, write } from './dom.ts'
import { formatPercent } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'
import { sumUp } from './queue.ts'
import type { State } from './state.ts'
import type { FileUpload } from './upload.ts'

const texts: Partial<Record<State, TextKey>> = {
  uploading: 'announceUploading',
  waiting: 'announceWaiting',
  paused: 'announcePaused',
  failed: 'announceFailed',
  missing: 'announceMissing',
  done: 'announceDone',
  cancelled: 'announceCancelled'
}

const states = new WeakMap<FileUpload, State>()
let news: string[] = []
let quarter = 0

/** Notes that an upload was changed before it is sent, to be told: that the old one is cancelled is no news. */
export function noteChange (old: FileUpload, upload: FileUpload): void {
  states.set(old, 'cancelled')
  news.push(text('announceChanged', { name: upload.name }))
}

/** Notes the new state of an upload, to be told. */
export function note (upload: FileUpload): void {
  const key = states.get(upload) === upload.state ? undefined : texts[upload.state]
  states.set(upload, upload.state)
  if (key) news.push(text(key, { name: upload.name }))
}

/**
 * Tells screen readers, in one quiet place, of new states and of each quarter of the whole.
 * @param left - bytes of files that are not in the list yet
 */
export function announce (all: readonly FileUpload[], left = 0): void {
  const { accepted, size: listed } = sumUp(all)
  const size = listed + left
  const reached = size > 0 ? Math.floor(accepted / size * 4) : 0
  // A long list would take too long to read.
  const words = news.slice(-3)
  news = []
  if (reached > quarter && reached < 4) {
    words.push(text('announcePercent', { percent: formatPercent(reached, 4, language()) }))
  }
  quarter = reached
  if (words.length > 0) write(byId('status'), words.join('. '))
}
