import { formatBytes, formatDuration, formatPercent, formatSpeed } from './format.ts'
import { chooseLanguage, fill, languages } from './i18n.ts'
import type { Texts } from './i18n.ts'
import type { Failure, Progress, State } from './upload.ts'

const locale = chooseLanguage(navigator.languages)
const texts = languages[locale]

const pausable: State[] = ['uploading', 'waiting']
const resumable: State[] = ['paused', 'offline', 'failed']
const over: State[] = ['done', 'cancelled']

function element<E extends HTMLElement> (id: string): E {
  return document.getElementById(id) as E
}

/** What the visitor acts on. */
export const controls = {
  file: element<HTMLInputElement>('file'),
  sliceSize: element<HTMLSelectElement>('slice-size'),
  pause: element<HTMLButtonElement>('pause'),
  resume: element<HTMLButtonElement>('resume'),
  cancel: element<HTMLButtonElement>('cancel')
}

/** Writes the texts of the page in the visitor's language. */
export function renderPage (endpoint: string, interrupted: string | null): void {
  document.documentElement.lang = locale
  document.title = texts.title
  for (const node of document.querySelectorAll<HTMLElement>('[data-text]')) {
    node.textContent = texts[node.dataset.text as keyof Texts]
  }
  element('endpoint').textContent = fill(texts.endpoint, { endpoint })
  element('interrupted').hidden = interrupted === null
  element('interrupted').textContent = fill(texts.interrupted, { name: interrupted ?? '' })
}

/** Fills the list of slice sizes, in bytes. */
export function renderSliceSizes (sizes: number[], selected: number): void {
  controls.sliceSize.replaceChildren(...sizes.map(size =>
    new Option(formatBytes(size, locale), String(size), size === selected, size === selected)))
}

/** Makes room for the upload of a file. */
export function renderFile (file: File): void {
  element('interrupted').hidden = true
  element('result').hidden = true
  element<HTMLVideoElement>('player').removeAttribute('src')
  element('upload').hidden = false
  element('name').textContent = file.name
}

/** Shows how far an upload is. */
export function renderProgress (progress: Progress): void {
  const { state, size, sent, accepted, speed, failure } = progress
  const percent = formatPercent(sent, size, locale)
  const running = !over.includes(state)

  const bar = element<HTMLProgressElement>('progress')
  bar.value = size > 0 ? sent / size : 1
  bar.style.setProperty('--accepted', `${sent > 0 ? accepted / sent * 100 : 100}%`)

  write('percent', percent)
  write('amount', fill(texts.amount, { sent: formatBytes(sent, locale), size: formatBytes(size, locale) }))
  write('accepted', formatBytes(accepted, locale))
  write('speed', speed === null ? texts.unknown : formatSpeed(speed, locale))
  write('time-left', speed ? formatDuration((size - sent) / speed, locale) : texts.unknown)
  write('status', statusText(progress))
  write('failure', failure ? failureText(failure) : '')
  document.title = running ? `${percent} · ${texts.title}` : texts.title

  controls.pause.hidden = !pausable.includes(state)
  controls.resume.hidden = !resumable.includes(state) || failure?.reason === 'file' || failure?.reason === 'tooLarge'
  controls.cancel.hidden = !running
  controls.file.disabled = controls.sliceSize.disabled = running && state !== 'failed'
  element('figures').hidden = !running
  element('upload').hidden = state === 'cancelled'
}

/** Shows the finished upload. */
export function renderResult (url: string, type: string): void {
  // A server of somebody else's may have answered with any URL.
  if (!/^https?:/.test(url)) return
  const link = element<HTMLAnchorElement>('link')
  link.href = link.textContent = url
  const player = element<HTMLVideoElement>('player')
  player.hidden = !type.startsWith('video/')
  if (!player.hidden) player.src = url
  element('result').hidden = false
}

// A text that has not changed is not written again: screen readers would read it again.
function write (id: string, text: string): void {
  const node = element(id)
  if (node.textContent !== text) node.textContent = text
}

function statusText ({ state, sent, size, continuedAt }: Progress): string {
  if (state === 'uploading' && continuedAt) {
    return fill(texts.continuing, { percent: formatPercent(continuedAt, size, locale) })
  }
  return fill(texts[state], { percent: formatPercent(sent, size, locale) })
}

function failureText (failure: Failure): string {
  switch (failure.reason) {
    case 'network': return texts.failureNetwork
    case 'file': return texts.failureFile
    case 'tooLarge': return texts.failureTooLarge
    case 'refused': return fill(texts.failureRefused, { status: failure.status })
  }
}
