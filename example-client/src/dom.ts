import { showControls } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'

/** The element with an id of the page's own HTML. */
export function byId<E extends HTMLElement = HTMLElement> (id: string): E {
  return document.getElementById(id) as E
}

/** The first element inside that a selector finds, of the page's own HTML. */
export function inside<E extends Element = HTMLElement> (parent: ParentNode, selector: string): E {
  return parent.querySelector<E>(selector) as E
}

/** A copy of what is in a template. */
export function copyOf (templateId: string): HTMLElement {
  return byId<HTMLTemplateElement>(templateId).content.firstElementChild?.cloneNode(true) as HTMLElement
}

/** Writes a text only if it has changed: otherwise screen readers would read it again, and selections would be lost. */
export function write (node: Element, words: string): void {
  const shown = showControls(words)
  if (node.textContent !== shown) node.textContent = shown
}

/** Writes the texts of everything that says by `data-text` which one it has. */
export function writeTexts (root: ParentNode): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-text]')) {
    write(node, text(node.dataset.text as TextKey))
  }
}

/** Writes the texts of the page in its language. */
export function writePage (): void {
  document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en'
  writeTexts(document)
}

/** A bar with two tones: `accepted` is what the server has, `sent` what has left the page; both 0 to 1. */
export function fillBar (bar: HTMLProgressElement, accepted: number, sent: number): void {
  bar.value = accepted
  bar.style.setProperty('--sent', `${(sent * 100).toFixed(2)}%`)
}
