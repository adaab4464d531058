import { byId, copyOf, inside, write, writeTexts } from './dom.ts'
import { findLayout } from './edit/faststart.ts'
import { formatBytes, formatClock, formatPercent, showControls } from './format.ts'
import { language, text } from './i18n.ts'
import { dumpHex, headSize, readText } from './inspect/head.ts'
import { sha256 } from './inspect/hash.ts'
import { readMedia } from './inspect/media.ts'
import type { Media } from './inspect/media.ts'
import type { FileUpload } from './upload.ts'

/** Shows the content of a file: a player or a picture, its text or its first bytes, and its SHA-256. */
export class InspectView {
  readonly node = copyOf('inspect')
  #upload: FileUpload
  #objectUrl: string | null = null
  #hash: Promise<string | null> | null = null

  constructor (upload: FileUpload) {
    this.#upload = upload
    this.#button('hash').addEventListener('click', () => { this.#showHash().catch(reportError) })
    this.#button('compare').addEventListener('click', () => { this.#compare().catch(reportError) })
    this.render()
  }

  /** Shows the file, which is not read before. */
  async open (): Promise<void> {
    const { body } = this.#upload
    if (!body || this.#objectUrl !== null) return
    const objectUrl = this.#objectUrl = URL.createObjectURL(body)
    const media = await readMedia(body)
    // Closed in the meantime.
    if (this.#objectUrl !== objectUrl) return
    if (media) this.#showMedia(media, body)
    else await this.#showHead(body)
    write(inside(this.node, '.facts'), await describe(body, media))
  }

  /** Releases the resources of the player. */
  close (): void {
    if (this.#objectUrl !== null) URL.revokeObjectURL(this.#objectUrl)
    this.#objectUrl = null
    inside(this.node, '.preview').replaceChildren()
  }

  render (): void {
    writeTexts(this.node)
    const { state, url, body } = this.#upload
    this.#button('hash').hidden = !body
    this.#button('compare').hidden = state !== 'done' || !url || !body
  }

  #showMedia (media: Media, body: Blob): void {
    const node = document.createElement(media.kind === 'image' ? 'img' : media.kind === 'audio' ? 'audio' : 'video')
    node.src = this.#objectUrl ?? ''
    if (node instanceof HTMLImageElement) {
      node.alt = showControls(this.#upload.name)
    } else {
      node.controls = true
      if (node instanceof HTMLVideoElement && media.poster) node.poster = media.poster
      node.setAttribute('aria-label', showControls(this.#upload.name))
    }
    const warning = document.createElement('p')
    warning.className = 'warning'
    // A browser that cannot decode the picture plays only the sound, without an error.
    if (media.kind === 'audio' && body.type.startsWith('video/')) warning.textContent = text('codecWarning')
    inside(this.node, '.preview').replaceChildren(node, warning)
  }

  async #showHead (body: Blob): Promise<void> {
    const head = new Uint8Array(await body.slice(0, headSize).arrayBuffer())
    const pre = document.createElement('pre')
    pre.tabIndex = 0
    pre.setAttribute('role', 'region')
    pre.setAttribute('aria-label', text('headLabel'))
    pre.textContent = readText(head) ?? dumpHex(head)
    const warning = document.createElement('p')
    warning.className = 'warning'
    if (/^(video|audio)\//.test(body.type)) warning.textContent = text('unplayableWarning')
    inside(this.node, '.preview').replaceChildren(pre, warning)
  }

  async #showHash (): Promise<string | null> {
    const { body, size } = this.#upload
    if (!body) return null
    this.#hash ??= this.#run(body, size)
    const hash = await this.#hash
    if (hash) this.#say(text('hashIs', { hash }))
    // The file may be readable later.
    else this.#hash = null
    return hash
  }

  async #compare (): Promise<void> {
    const { url, size } = this.#upload
    const here = await this.#showHash()
    const there = url && await this.#run(url, size)
    if (here && there) this.#say(text(here === there ? 'hashSame' : 'hashDifferent', { hash: here, there }))
  }

  async #run (source: Blob | string, size: number): Promise<string | null> {
    const key = typeof source === 'string' ? 'hashingServer' : 'hashing'
    try {
      return await sha256(source, bytes =>
        write(inside(this.node, '.hash'), text(key, { percent: formatPercent(bytes, size, language()) })))
    } catch {
      this.#say(text('hashFailed'))
      return null
    }
  }

  #say (words: string): void {
    write(inside(this.node, '.hash'), words)
    write(byId('status'), words)
  }

  #button (action: string): HTMLButtonElement {
    return inside(this.node, `[data-inspect="${action}"]`)
  }
}

async function describe (body: Blob, media: Media | null): Promise<string> {
  const layout = await findLayout(body)
  return [
    body.type || text('unknownType'),
    formatBytes(body.size, language()),
    media && Number.isFinite(media.duration) && media.duration > 0 ? formatClock(media.duration) : '',
    media && media.width > 0 ? `${media.width} × ${media.height}` : '',
    layout === 'end' ? text('indexEnd') : layout === 'front' ? text('indexFront') : ''
  ].filter(Boolean).join(' · ')
}
