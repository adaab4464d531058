import t from 'tap'
import { anchorsOf, originalOf, pages, snippetsOf } from './pages.ts'
import type { Snippet } from './pages.ts'
import { withoutComments } from './snippets.ts'

const all = await pages()
const translated = all.filter((page) => page !== originalOf(page))

/** The first comment of a snippet may say more than its name, so the name is compared on its own. */
function essenceOf ({ language, name, code }: Snippet): object {
  const isShell = language === 'sh' || language === 'nginx'
  return { language, name, code: isShell ? code.replace(/(^|\s+)# .*$/gm, '') : withoutComments(code) }
}

t.test('the README, the first steps and the guides are translated', async (t) => {
  const forUsers = all.filter((page) => /^(README|docs\/getting-started|docs\/guides\/.*)\.md$/.test(page))
  t.same(translated.map(originalOf).sort(), forUsers)
})

t.test('a translated page has the code of its original, except for comments', async (t) => {
  for (const page of translated) {
    const original = await snippetsOf(originalOf(page))
    t.same((await snippetsOf(page)).map(essenceOf), original.map(essenceOf), page)
  }
})

t.test('a translated page has as many sections as its original', async (t) => {
  for (const page of translated) {
    t.equal((await anchorsOf(page)).length, (await anchorsOf(originalOf(page))).length, page)
  }
})
