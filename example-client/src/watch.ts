import { findOwnEndpoint } from './config.ts'
import { askedEndpoint, isForeign } from './consent.ts'
import { byId, inside, write, writePage } from './dom.ts'
import { showControls } from './format.ts'
import { chooseLanguage, setLanguage, text } from './i18n.ts'
import { LiveViewer } from './live/viewer.ts'
import type { LiveState } from './live/viewer.ts'
import { loadPreferences } from './preferences.ts'
import { describe, look } from './watch/look.ts'
import type { Description, Growth } from './watch/look.ts'
import { Player } from './watch/player.ts'

setLanguage(loadPreferences().language ?? chooseLanguage(navigator.languages))
writePage()
document.title = text('watchTitle')

const named = new URLSearchParams(location.search)
const id = named.get('id') ?? ''
const asked = await askedEndpoint()
const endpoint = asked ?? await findOwnEndpoint()
const url = `${endpoint}/${id}`
const video = inside<HTMLVideoElement>(byId('player'), 'video')

if (named.has('endpoint') && asked === null) {
  // The id belongs to that server.
  showNothing(text('consentRefused'))
} else {
  // An id is one path segment. Anything else would lead to another address.
  const found = /^[\w.~-]+$/.test(id) ? await find() : null
  if (found) watch(...found)
  else showNothing(text('watchGone'))
}

// The server may be unreachable for a moment.
async function find (): Promise<[Growth, Description] | null> {
  for (;;) {
    try {
      const growth = await look(url)
      return growth && [growth, await describe(url)]
    } catch {
      say(text('serverLost'))
      await new Promise(resolve => setTimeout(resolve, 2000))
    }
  }
}

function watch ({ length }: Growth, { name, type }: Description): void {
  entitle(name ?? id)
  if (length === null) return watchLive(type)
  say('')
  new Player(byId('player')).play(url, type)
}

// Another server must not set the heading and the title of this page.
function entitle (name: string): void {
  if (isForeign(url)) {
    write(byId('source'), text('foreignVideo', { name, origin: new URL(url).origin }))
    byId('source').hidden = false
  } else {
    write(byId('name'), name)
    document.title = showControls(name)
  }
}

function watchLive (type: string): void {
  say(text('liveJoining'))
  const words = {
    live: text('liveNow'),
    waiting: text('liveWaiting'),
    lost: text('serverLost'),
    over: text('liveOver'),
    gone: text('watchGone'),
    unsupported: text('cannotPlay')
  }
  let state: LiveState | undefined
  const show = () => {
    if (state) say(state === 'live' && video.paused ? text('livePaused') : words[state])
  }
  for (const event of ['play', 'pause']) video.addEventListener(event, show)
  const viewer = new LiveViewer(byId('player'), url, type, {
    onState (news) {
      state = news
      show()
    }
  })
  viewer.start().catch(reportError)
}

function showNothing (words: string): void {
  byId('player').hidden = true
  say(words)
}

function say (words: string): void {
  write(byId('state'), words)
}
