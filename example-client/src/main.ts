import { App } from './app.ts'
import { findOwnEndpoint } from './config.ts'
import { askedEndpoint } from './consent.ts'
import { deleteOwed, restoreDeletions } from './deletions.ts'
import { byId, writePage } from './dom.ts'
import { chooseLanguage, language, setLanguage } from './i18n.ts'
import { chooseFiles, fromDrop, fromList } from './intake.ts'
import { LiveView } from './live-view.ts'
import { alertVisitor, renderDrop, renderPage } from './page-view.ts'
import { loadPreferences, savePreferences } from './preferences.ts'
import { ServerList } from './server-list.ts'

const preferences = loadPreferences()
setLanguage(preferences.language ?? chooseLanguage(navigator.languages))
// The page has its texts while the dialog asks the visitor.
writePage()
const ownEndpoint = await findOwnEndpoint()
const endpoint = await askedEndpoint() ?? ownEndpoint
const input = byId<HTMLInputElement>('files')
// tus has no request that lists the uploads of another server.
const server = endpoint === ownEndpoint
  ? new ServerList(endpoint, url =>
    app.list.open().some(({ url: own, record }) => own === url || record.final === url))
  : null
const app = new App(endpoint, preferences, { choose, onEnd: () => server?.refresh() })

render()
const live = new LiveView(endpoint, () => server?.refresh())
server?.refresh()
app.restore().catch(reportError)
live.restore().catch(reportError)
restoreDeletions().catch(reportError)

// A new action clears the message of the last one. Runs first, because the action may show a message itself.
document.addEventListener('click', event => {
  if ((event.target as Element).closest('button')) alertVisitor('')
}, { capture: true })
byId('choose').addEventListener('click', choose)
input.addEventListener('change', () => {
  app.arrivals.add([fromList(input.files)]).catch(reportError)
  // Cleared, so that choosing the same file again is a change.
  input.value = ''
})

document.addEventListener('paste', event => {
  const files = fromList(event.clipboardData?.files)
  // Pasted text belongs to the focused field.
  if (files.length > 0) app.arrivals.add([files]).catch(reportError)
})
document.addEventListener('dragover', event => {
  if (!event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  renderDrop(true)
})
document.addEventListener('dragleave', event => {
  if (event.relatedTarget === null) renderDrop(false)
})
document.addEventListener('drop', event => {
  if (!event.dataTransfer?.types.includes('Files')) return
  event.preventDefault()
  renderDrop(false)
  app.arrivals.add(fromDrop(event.dataTransfer)).catch(reportError)
})

byId('pause-all').addEventListener('click', () => app.pauseAll())
byId('resume-all').addEventListener('click', () => app.resumeAll())
byId('cancel-all').addEventListener('click', () => app.cancelAll())
byId('clear-done').addEventListener('click', () => app.clearDone())
byId('continue-all').addEventListener('click', () => { app.continueAll().catch(reportError) })
byId('language').addEventListener('click', () => {
  preferences.language = language() === 'zh' ? 'en' : 'zh'
  savePreferences(preferences)
  setLanguage(preferences.language)
  render()
})
byId('settings').addEventListener('change', () => {
  const chosen = (id: string) => Number(byId<HTMLSelectElement>(id).value)
  preferences.sliceSize = chosen('slice-size')
  preferences.lanes = chosen('lanes')
  preferences.copyCap = chosen('copy-cap')
  preferences.startAtOnce = byId<HTMLInputElement>('start-at-once').checked
  savePreferences(preferences)
})

window.addEventListener('online', () => {
  app.wake()
  live.wake()
  deleteOwed()
})
// Timers of a hidden page or a sleeping computer are late.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') app.wake()
})
window.addEventListener('beforeunload', event => {
  if (app.isAtRisk || live.busy) event.preventDefault()
})
setInterval(() => app.list.tick(), 1000)

function choose (): void {
  chooseFiles(input).then(found => app.arrivals.add([found])).catch(reportError)
}

function render (): void {
  renderPage(endpoint, preferences)
  app.list.render()
  server?.render()
}
