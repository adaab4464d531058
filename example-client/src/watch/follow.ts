import { askAbout } from './about.ts'

/** How much of an upload is there. */
export interface Growth {
  offset: number
  length: number | null
}

/**
 * Tells how an upload grows until all of it is there: by the server's events, and where it sends none by asking every
 * second. Ends by itself, or by what is returned.
 */
export function follow (url: string, onGrowth: (growth: Growth) => void, onGone: () => void): () => void {
  let events: EventSource | null = new EventSource(url)
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  const stop = () => {
    stopped = true
    events?.close()
    clearTimeout(timer)
  }
  const tell = (growth: Growth | null) => {
    if (stopped) return
    if (growth) onGrowth(growth)
    else onGone()
    if (!growth || growth.offset === growth.length) stop()
  }
  const ask = async () => {
    const about = await askAbout(url).catch(() => undefined)
    if (about !== undefined) tell(about)
    if (!stopped) timer = setTimeout(() => { ask().catch(reportError) }, 1000)
  }

  events.addEventListener('progress', (event: MessageEvent<string>) => {
    const { state, ...growth } = JSON.parse(event.data) as Growth & { state: string }
    tell(state === 'gone' ? null : growth)
  })
  events.addEventListener('error', () => {
    // A browser connects again by itself, unless the answer was no stream of events.
    if (stopped || events?.readyState !== EventSource.CLOSED) return
    events = null
    ask().catch(reportError)
  })
  return stop
}
