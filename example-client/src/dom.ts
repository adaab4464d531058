import { showControls } from './format.ts'
import { language, text } from './i18n.ts'
import type { TextKey } from './i18n.ts'

/** The element with an id that exists in the HTML of the page. */
export function byId<E extends HTMLElement = HTMLElement> (id: string): E {
  return document.getElementById(id) as E
}

/** The first descendant that matches a selector. It exists in the HTML of the page. */
export function inside<E extends Element = HTMLElement> (parent: ParentNode, selector: string): E {
  return parent.querySelector<E>(selector) as E
}

/** A copy of the content of a template. */
export function copyOf (templateId: string): HTMLElement {
  return byId<HTMLTemplateElement>(templateId).content.firstElementChild?.cloneNode(true) as HTMLElement
}

/** Writes a text only if it has changed. Otherwise screen readers read it again, and selections are lost. */
export function write (node: Element, words: string): void {
  const shown = showControls(words)
  if (node.textContent !== shown) node.textContent = shown
}

/** Writes the text of each element with a `data-text` attribute. */
export function writeTexts (root: ParentNode): void {
  for (const node of root.querySelectorAll<HTMLElement>('[data-text]')) {
    write(node, text(node.dataset.text as TextKey))
  }
}

/** Writes all texts of the page in the current language. */
export function writePage (): void {
  document.documentElement.lang = language() === 'zh' ? 'zh-CN' : 'en'
  writeTexts(document)
}

/** Sets a bar with two tones: the accepted share and the sent share, both from 0 to 1. */
export function fillBar (bar: HTMLProgressElement, accepted: number, sent: number): void {
  bar.value = accepted
  bar.style.setProperty('--sent', `${(sent * 100).toFixed(2)}%`)
}
