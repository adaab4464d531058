// Only types, so that no code of the server is bundled.
import type { ListedUpload, Page } from '../../src/listed.ts'
import { byId, copyOf, inside, write, writeTexts } from './dom.ts'
import { formatBytes, formatPercent } from './format.ts'
import { language, text } from './i18n.ts'
import { watch, watchUrl } from './watch-dialog.ts'

const pageSize = 10
// The limit of the server.
const mostAtATime = 100

/** All uploads on the server, newest first. Hidden if the server has no such list. */
export class ServerList {
  #endpoint: string
  #isShown: (url: string) => boolean
  #uploads: ListedUpload[] = []
  // Keyed by their content.
  #rows = new Map<string, HTMLElement>()
  // How many uploads the visitor has asked for.
  #wanted = pageSize
  #hasMore = false
  // Only the result of the last request counts.
  #looks = 0
  #due: ReturnType<typeof setTimeout> | undefined

  /** `isShown` returns whether the page already shows an upload in more detail. */
  constructor (endpoint: string, isShown: (url: string) => boolean) {
    this.#endpoint = endpoint
    this.#isShown = isShown
    byId('more').addEventListener('click', () => {
      this.#wanted += pageSize
      this.#load().then(() => {
        // The button disappears, so the focus moves nearby.
        if (byId('more').hidden) inside(byId('server-rows'), 'li:last-child .open').focus()
      }).catch(reportError)
    })
  }

  /** Reloads the list soon. Several calls cause one request. */
  refresh (): void {
    clearTimeout(this.#due)
    this.#due = setTimeout(() => { this.#load().catch(reportError) }, 300)
  }

  render (): void {
    const shown = this.#uploads.filter(({ id }) => !this.#isShown(this.#url(id)))
    const list = byId('server-rows')
    const before = this.#rows
    this.#rows = new Map(shown.map(upload => {
      const key = JSON.stringify([language(), upload])
      return [key, before.get(key) ?? this.#row(upload)]
    }))
    // Unchanged rows are not moved, because a row that is inserted again loses the focus.
    for (const [key, row] of before) if (!this.#rows.has(key)) row.remove()
    for (const [index, row] of Array.from(this.#rows.values()).entries()) {
      if (list.children[index] !== row) list.insertBefore(row, list.children[index] ?? null)
    }
    byId('server').hidden = shown.length === 0
    byId('more').hidden = !this.#hasMore
  }

  async #load (): Promise<void> {
    const look = ++this.#looks
    const uploads: ListedUpload[] = []
    let next: string | null = null
    do {
      const limit = Math.min(this.#wanted - uploads.length, mostAtATime)
      const query: URLSearchParams = new URLSearchParams({ limit: String(limit), ...next !== null && { before: next } })
      const response = await fetch(`api/uploads?${query}`).catch(() => null)
      if (!response?.ok || look !== this.#looks) return
      const page = await response.json() as Page
      uploads.push(...page.uploads)
      next = page.next
    } while (next !== null && uploads.length < this.#wanted)
    this.#uploads = uploads
    this.#hasMore = next !== null
    this.render()
  }

  #url (id: string): string {
    return `${this.#endpoint}/${id}`
  }

  #row (upload: ListedUpload): HTMLElement {
    const node = copyOf('server-row')
    const url = this.#url(upload.id)
    const name = upload.name ?? upload.id
    const type = upload.type ?? ''
    writeTexts(node)
    write(inside(node, '.name'), name)
    write(inside(node, '.state'), describe(upload))
    const button = inside(node, '[data-server="watch"]')
    button.hidden = !/^(video|audio)\//.test(type)
    button.setAttribute('aria-label', text('watchNamed', { name }))
    button.addEventListener('click', () => {
      // A running recording plays on its own page, about a second behind.
      if (upload.length === null) window.open(watchUrl(url), '_blank', 'noopener')
      else watch(url, name, type)
    })
    const open = inside<HTMLAnchorElement>(node, '.open')
    open.href = url
    open.setAttribute('aria-label', text('openNamed', { name }))
    return node
  }
}

function describe ({ length, offset, state, createdAt }: ListedUpload): string {
  const locale = language()
  const size = (bytes: number) => formatBytes(bytes, locale)
  const amount = length === null
    ? text('serverLive', { size: size(offset) })
    : state === 'finished'
      ? size(length)
      : text('serverGrowing', { percent: formatPercent(offset, length, locale), size: size(length) })
  const when = new Date(createdAt)
  if (Number.isNaN(when.getTime())) return amount
  return `${amount} · ${when.toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' })}`
}
