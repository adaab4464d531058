import type { Left } from './pending.ts'
import { isForeign } from './consent.ts'
import { byId, fillBar, write, writePage, writeTexts } from './dom.ts'
import { formatBytes, formatPercent } from './format.ts'
import { language, text } from './i18n.ts'
import { choices } from './preferences.ts'
import type { Preferences } from './preferences.ts'
import { isAskable, isOver, isResumable, sumUp, wholeOf } from './queue.ts'
import type { FileUpload } from './upload.ts'
import { describeSpeed } from './words.ts'

/** Writes the parts of the page that do not depend on uploads. */
export function renderPage (endpoint: string, preferences: Preferences): void {
  writePage()
  byId('language').lang = language() === 'zh' ? 'en' : 'zh-CN'
  byId('files').setAttribute('aria-label', text('choose'))
  byId('overall-progress').setAttribute('aria-label', text('overallLabel'))
  write(byId('endpoint'), text('endpoint', { endpoint }))
  byId('foreign').hidden = !isForeign(endpoint)
  write(byId('foreign'), text('foreign', { origin: new URL(endpoint).origin }))

  const bytes = (size: number) => size === 0 ? text('copyNone') : formatBytes(size, language())
  fillSelect('slice-size', choices.sliceSize, preferences.sliceSize, bytes)
  fillSelect('lanes', choices.lanes, preferences.lanes, String)
  fillSelect('copy-cap', choices.copyCap, preferences.copyCap, bytes)
  byId<HTMLInputElement>('start-at-once').checked = preferences.startAtOnce
}

/** Shows the sum of all uploads and of pending files, in the page and in its title. */
export function renderOverall (uploads: readonly FileUpload[], left: Left | null): void {
  const focused = document.activeElement
  const overall = sumUp(uploads)
  overall.count += left?.count ?? 0
  overall.size += left?.size ?? 0
  const whole = wholeOf(overall)
  const share = (bytes: number) => whole > 0 ? bytes / whole : 1
  const percent = formatPercent(overall.accepted, whole, language())
  byId('uploads').hidden = uploads.length === 0 && !left?.count
  byId('overall').hidden = overall.count < 2
  byId('legend').hidden = uploads.every(isOver)
  fillBar(byId<HTMLProgressElement>('overall-progress'), share(overall.accepted), share(overall.sent))
  const speed = describeSpeed(overall.speed, overall.size - overall.sent)
  const number = (value: number) => value.toLocaleString(language())
  const reading = left?.count ? text('reading', { count: number(left.count) }) : ''
  write(byId('overall-text'),
    [text('overall', { done: number(overall.done), count: number(overall.count) }), reading, speed]
      .filter(Boolean).join(' · '))
  write(byId('overall-percent'), percent)

  const can = (states: FileUpload['state'][]) => uploads.some(({ state }) => states.includes(state))
  // A single row has the same buttons.
  const alone = uploads.length === 1
  byId('pause-all').hidden = alone || !can(['queued', 'uploading', 'waiting'])
  const resumable = uploads.filter(isResumable)
  const resumeAll = byId('resume-all')
  resumeAll.hidden = alone || resumable.length === 0
  resumeAll.dataset.text = resumable.every(({ state }) => state === 'ready') ? 'startAll' : 'resumeAll'
  writeTexts(resumeAll.parentElement ?? document)
  byId('clear-done').hidden = !can(['done'])
  // Also cancels files that are not in the list yet.
  byId('cancel-all').hidden = !left?.count &&
    uploads.filter(upload => !isOver(upload) && upload.state !== 'elsewhere').length < 2
  byId('continue').hidden = !uploads.some(isAskable)
  // The button disappears, so the focus moves to a button nearby.
  if (focused?.closest('#uploads[hidden], #uploads [hidden]')) {
    (document.querySelector<HTMLElement>('#uploads:not([hidden]) .section-head button:not([hidden])') ??
      byId('choose')).focus()
  }
  document.title = overall.busy || left ? `${percent} · ${text('title')}` : text('title')
}

/** Shows whether files are dragged over the page. */
export function renderDrop (over: boolean): void {
  byId('drop').classList.toggle('over', over)
  write(byId('drop-title'), text(over ? 'dropNow' : 'dropTitle'))
}

/** Shows an error and announces it to screen readers at once. */
export function alertVisitor (words: string): void {
  write(byId('alert'), words)
}

function fillSelect (id: string, values: number[], selected: number, words: (value: number) => string): void {
  byId<HTMLSelectElement>(id).replaceChildren(...values.map(value =>
    new Option(words(value), String(value), value === selected, value === selected)))
}
