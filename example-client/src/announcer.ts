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

/** Queues the announcement of an edited upload. The cancellation of the original is not announced. */
export function noteChange (old: FileUpload, upload: FileUpload): void {
  states.set(old, 'cancelled')
  news.push(text('announceChanged', { name: upload.name }))
}

/** Queues the announcement of a new state of an upload. */
export function note (upload: FileUpload): void {
  const key = states.get(upload) === upload.state ? undefined : texts[upload.state]
  states.set(upload, upload.state)
  if (key) news.push(text(key, { name: upload.name }))
}

/**
 * Announces new states and each quarter of the overall progress to screen readers, in one polite live region.
 * @param left - bytes of files that are not in the list yet
 */
export function announce (all: readonly FileUpload[], left = 0): void {
  const { accepted, size: listed } = sumUp(all)
  const size = listed + left
  const reached = size > 0 ? Math.floor(accepted / size * 4) : 0
  // A long list takes too long to read out.
  const words = news.slice(-3)
  news = []
  if (reached > quarter && reached < 4) {
    words.push(text('announcePercent', { percent: formatPercent(reached, 4, language()) }))
  }
  quarter = reached
  if (words.length > 0) write(byId('status'), words.join('. '))
}
