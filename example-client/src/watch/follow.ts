import { look, readProgress } from './look.ts'
import type { Growth } from './look.ts'

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
    const growth = await look(url).catch(() => undefined)
    if (growth !== undefined) tell(growth)
    if (!stopped) timer = setTimeout(() => { ask().catch(reportError) }, 1000)
  }

  events.addEventListener('progress', (event: MessageEvent<string>) => {
    tell(readProgress(event.data))
  })
  events.addEventListener('error', () => {
    // A browser connects again by itself, unless the answer was no stream of events.
    if (stopped || events?.readyState !== EventSource.CLOSED) return
    events = null
    ask().catch(reportError)
  })
  return stop
}
