import { askedEndpoint, findOwnEndpoint } from './config.ts'
import { byId, inside, write, writeTexts } from './dom.ts'
import { showControls } from './format.ts'
import { chooseLanguage, language, setLanguage, text } from './i18n.ts'
import { LiveViewer } from './live/viewer.ts'
import { loadPreferences } from './preferences.ts'
import { askAbout } from './watch/about.ts'
import type { About } from './watch/about.ts'
import { Player } from './watch/player.ts'

setLanguage(loadPreferences().language ?? chooseLanguage(navigator.languages))
document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en'
writeTexts(document)
document.title = text('watchTitle')

const id = new URLSearchParams(location.search).get('id') ?? ''
const url = `${askedEndpoint() ?? await findOwnEndpoint()}/${id}`
// An id is one segment of a path: anything else would be another address.
const about = /^[\w.~-]+$/.test(id) ? await ask() : null

if (!about) {
  byId('player').hidden = true
  say(text('watchGone'))
} else {
  const name = about.metadata.filename ?? id
  write(byId('name'), name)
  document.title = showControls(name)
  if (about.length === null) watchLive(about)
  else watchFile(about)
}

// The server may be away for a moment.
async function ask (): Promise<About | null> {
  for (;;) {
    try {
      return await askAbout(url)
    } catch {
      say(text('serverLost'))
      await new Promise(resolve => setTimeout(resolve, 2000))
    }
  }
}

function watchFile ({ metadata }: About): void {
  say('')
  new Player(byId('player')).play(url, metadata.filetype ?? '')
}

function watchLive ({ metadata: { filetype = 'video/webm', codecs = 'vp8,opus' } }: About): void {
  say(text('liveJoining'))
  const words = {
    live: text('liveNow'),
    waiting: text('liveWaiting'),
    lost: text('serverLost'),
    over: text('liveOver'),
    gone: text('watchGone'),
    unsupported: text('cannotPlay')
  }
  const video = inside<HTMLVideoElement>(byId('player'), 'video')
  const viewer = new LiveViewer(video, url, { onState: state => say(words[state]) })
  viewer.start(`${filetype};codecs="${codecs}"`).catch(reportError)
}

function say (words: string): void {
  write(byId('state'), words)
}
