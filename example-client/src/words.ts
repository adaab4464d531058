import { formatBytes, formatDuration, formatPercent, formatSpeed } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'
import type { Failure, Wait } from './retry.ts'
import type { Missing, Seen, State } from './state.ts'

const states: Partial<Record<State, TextKey>> = {
  ready: 'stateReady',
  uploading: 'stateUploading',
  done: 'stateDone',
  queued: 'stateQueued',
  joining: 'stateJoining',
  paused: 'statePaused',
  failed: 'stateFailed',
  elsewhere: 'stateElsewhere'
}

const waits: Record<Wait, TextKey> = {
  offline: 'waitOffline',
  unreachable: 'waitUnreachable',
  server: 'waitServer',
  busy: 'waitBusy',
  full: 'waitFull',
  stalled: 'waitStalled'
}

const missings: Record<Missing, TextKey> = {
  permission: 'statePermission',
  refused: 'statePermissionRefused',
  file: 'stateFile',
  changed: 'stateChanged'
}

/** The text for the state of an upload. `now` is in ms since 1970. */
export function describeState (upload: Seen, now: number): string {
  const { state, wait } = upload
  const percent = (bytes: number) => describePart(bytes, upload.size)
  if (state === 'waiting' && wait) return text(waits[wait.why], { when: describeWhen(wait.nextTry, now) })
  if (state === 'missing') return text(missings[upload.missing ?? 'file'], { percent: percent(upload.accepted) })
  if (state === 'uploading' && upload.restarted) return text('stateRestarted')
  if (state === 'uploading' && upload.continuedAt) {
    return text('stateContinuing', { percent: percent(upload.continuedAt) })
  }
  if (state === 'done' && upload.instant) return text('stateInstant')
  const key = states[state]
  return key ? text(key) : ''
}

/** The accepted share of an upload; empty if it is irrelevant. */
export function describePercent ({ state, size, accepted }: Pick<Seen, 'state' | 'size' | 'accepted'>): string {
  return state === 'done' || state === 'ready' ? '' : describePart(accepted, size)
}

/** Bytes, speed and time left of an upload, as far as known. */
export function describeFigures (upload: Pick<Seen, 'state' | 'size' | 'accepted' | 'sent' | 'speed'>): string {
  const locale = language()
  const size = formatBytes(upload.size, locale)
  if (upload.state === 'done' || upload.state === 'ready') return size
  return [
    text('amount', { accepted: formatBytes(upload.accepted, locale), size }),
    describeSpeed(upload.speed, upload.size - upload.sent)
  ].filter(Boolean).join(' · ')
}

/** Speed and time left; empty while the speed is unknown. */
export function describeSpeed (speed: number | null, bytesLeft: number): string {
  if (!speed) return ''
  const left = formatDuration(bytesLeft / speed, language())
  return text('speedLeft', { speed: formatSpeed(speed, language()), left })
}

export function describeFailure (failure: Failure | null): string {
  switch (failure?.reason) {
    case undefined: return ''
    case 'file': return text('failureFile')
    case 'tooLarge': return text('failureTooLarge')
    case 'gone': return text('failureGone')
    case 'foreign': return text('failureForeign')
    case 'refused': return text('failureRefused', { status: failure.status })
  }
}

/** The text for the effect of a reload; empty while it is unknown. */
export function describeKept ({ kept, state }: Pick<Seen, 'kept' | 'state'>): string {
  if (kept === undefined) return ''
  if (kept === null) return text('keptNothing')
  if (kept === 'record') return text('keptRecord')
  // A paused upload stays paused.
  return text(state === 'paused' ? 'keptPaused' : kept === 'copy' ? 'keptCopy' : 'keptHandle')
}

/** The text for a chosen file that does not belong to an interrupted upload. */
export function describeMismatch (
  wanted: { name: string, size: number, lastModified: number },
  chosen: { name: string, size: number, lastModified: number }
): string {
  const locale = language()
  const key: TextKey = chosen.size !== wanted.size
    ? 'refusedSize'
    : chosen.name !== wanted.name
      ? 'refusedName'
      : chosen.lastModified !== wanted.lastModified ? 'refusedTime' : 'refusedContent'
  const why = text(key, {
    chosen: chosen.name,
    name: wanted.name,
    chosenSize: describeSize(chosen.size, wanted.size, locale),
    size: describeSize(wanted.size, chosen.size, locale)
  })
  return `${why} ${text('refusedHow')}`
}

/** A text about one or more files; empty for none. */
export function describeNames (what: 'alreadyHere' | 'unreadable', names: readonly string[]): string {
  const [name, ...others] = names
  if (name === undefined) return ''
  return others.length === 0 ? text(what, { name }) : text(`${what}More`, { name, more: others.length })
}

// For unfinished uploads: an empty file has 0% until it is finished.
function describePart (bytes: number, size: number): string {
  return formatPercent(bytes, size || 1, language())
}

// Two sizes that are equal when rounded are written in bytes.
function describeSize (bytes: number, other: number, locale: string): string {
  const rounded = formatBytes(bytes, locale)
  return rounded === formatBytes(other, locale) ? `${bytes.toLocaleString(locale)} B` : rounded
}

function describeWhen (nextTry: number | null, now: number): string {
  const seconds = Math.ceil(((nextTry ?? now) - now) / 1000)
  return seconds > 0 ? text('inSeconds', { time: formatDuration(seconds, language()) }) : text('now')
}
