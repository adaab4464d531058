import { byId, inside, write } from './dom.ts'
import { Player } from './watch/player.ts'

let player: Player | undefined

/** Plays an upload in a dialog. */
export function watch (url: string, name: string, type: string): void {
  const dialog = byId<HTMLDialogElement>('player')
  if (!player) {
    player = new Player(dialog)
    // Closed by the button, by Esc, or by the back gesture of the browser.
    dialog.addEventListener('close', () => player?.close())
    byId('player-close').addEventListener('click', () => dialog.close())
  }
  write(byId('player-title'), name)
  byId<HTMLAnchorElement>('player-link').href = watchUrl(url)
  dialog.showModal()
  inside(dialog, 'video').focus()
  player.play(url, type)
}

/** The URL of the page that plays an upload. */
export function watchUrl (url: string): string {
  const page = new URL('watch.html', location.href)
  page.searchParams.set('id', new URL(url).pathname.split('/').at(-1) ?? '')
  const endpoint = new URLSearchParams(location.search).get('endpoint')
  if (endpoint) page.searchParams.set('endpoint', endpoint)
  return page.href
}
