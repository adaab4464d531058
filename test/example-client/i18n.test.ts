import { readFileSync } from 'node:fs'
import t from 'tap'
import { chooseLanguage, fill, languages } from '../../example-client/src/i18n.ts'
import type { Texts } from '../../example-client/src/i18n.ts'

function holes (text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort()
}

t.test('every text exists in every language, with the same values', async t => {
  for (const [language, texts] of Object.entries(languages)) {
    t.same(Object.keys(texts).sort(), Object.keys(languages.en).sort(), language)
    for (const [key, text] of Object.entries(texts)) {
      t.ok(text.trim(), `${language}: ${key}`)
      t.same(holes(text), holes(languages.en[key as keyof Texts]), `${language}: ${key}`)
    }
  }
})

t.test('every text of the page exists', async t => {
  const html = readFileSync(new URL('../../example-client/index.html', import.meta.url), 'utf8')
  for (const [, key] of html.matchAll(/data-text="(\w+)"/g)) {
    t.ok(languages.en[key as keyof Texts], `${key}`)
  }
})

t.test('the first language of the browser that the page has is used', async t => {
  t.equal(chooseLanguage(['zh-CN', 'en']), 'zh')
  t.equal(chooseLanguage(['en-GB', 'zh']), 'en')
  t.equal(chooseLanguage(['fr', 'ZH-Hant-TW']), 'zh')
  t.equal(chooseLanguage(['fr']), 'en')
  t.equal(chooseLanguage([]), 'en')
})

t.test('values are inserted into texts', async t => {
  t.equal(fill('{a} of {b}', { a: 0, b: '$& {a}' }), '0 of $& {a}')
  t.equal(fill('{a} and {other}', { a: 1 }), '1 and {other}')
})
