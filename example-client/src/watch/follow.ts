import { look, readProgress } from './look.ts'
import type { Growth } from './look.ts'

/**
 * Reports the growth of an upload until it is complete, from the events of the server or, without them, by polling
 * every second. Ends automatically or by the returned function.
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
    // A browser reconnects automatically, unless the response was not an event stream.
    if (stopped || events?.readyState !== EventSource.CLOSED) return
    events = null
    ask().catch(reportError)
  })
  return stop
}
