import { showControls } from './format.ts'
import { en } from './texts/en.ts'
import type { Texts } from './texts/en.ts'
import { zh } from './texts/zh.ts'

export type { Texts } from './texts/en.ts'
export type Language = 'en' | 'zh'
export type TextKey = keyof Texts

/** The texts in each language of the page. */
export const languages: Record<Language, Texts> = { en, zh }

let current: Language = 'en'

/** The current language of the page, which is also the locale of numbers. */
export function language (): Language {
  return current
}

export function setLanguage (language: Language): void {
  current = language
}

/** A text in the current language. */
export function text (key: TextKey, values: Record<string, string | number> = {}): string {
  return fill(languages[current][key], values)
}

/** The language of the page for the preferred languages of the browser, best first. */
export function chooseLanguage (preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const language = tag.toLowerCase().split('-')[0]
    if (language === 'en' || language === 'zh') return language
  }
  return 'en'
}

/** Replaces each `{name}` in a text with its value. Invisible characters in values are shown. */
export function fill (text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => showControls(String(values[name] ?? hole)))
}
