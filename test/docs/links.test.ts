import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { anchorsOf, linksOf, pages, root } from './pages.ts'

t.test('every relative link of a page leads to a file, and every anchor to a heading', async (t) => {
  const anchors = new Map<string, string[]>()
  for (const page of await pages()) anchors.set(page, await anchorsOf(page))
  for (const page of anchors.keys()) {
    for (const link of await linksOf(page)) {
      if (/^[a-z][a-z+.-]*:/i.test(link)) continue
      const [file = '', anchor] = link.split('#').map(decodeURIComponent)
      const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
      t.ok(existsSync(path.join(root, target)), `${page}: ${link}`)
      const known = anchors.get(target)
      if (anchor !== undefined && known !== undefined) t.ok(known.includes(anchor), `${page}: ${link}`)
    }
  }
})
