/** The Markdown pages of the repository: their snippets, links and anchors. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import GithubSlugger from 'github-slugger'
import { fromMarkdown } from 'mdast-util-from-markdown'

export const root = path.join(import.meta.dirname, '../..')

type Root = ReturnType<typeof fromMarkdown>
type Node = Root | Root['children'][number]

export interface Snippet {
  /** The path of its page from the root of the repository, such as `docs/getting-started.md`. */
  page: string
  /** The language of the fence. */
  language: string
  /** The name in its first comment, such as `server.js`. */
  name: string | undefined
  code: string
}

/** The paths of all pages from the root of the repository, with slashes. */
export async function pages (): Promise<string[]> {
  const folders = [['', false], ['bench', false], ['docs', true], ['example-client', false]] as const
  const found = await Promise.all(folders.map(async ([folder, recursive]) =>
    (await readdir(path.join(root, folder), { recursive }))
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(folder, name).split(path.sep).join('/'))))
  return found.flat().sort()
}

/** The English page of a translated one, or the page itself. */
export function originalOf (page: string): string {
  return page.replace('docs/zh-CN/', 'docs/').replace('README.zh-CN.md', 'README.md')
}

async function nodesOf (page: string): Promise<Node[]> {
  return descendants(fromMarkdown(await readFile(path.join(root, page), 'utf8')))
}

function descendants (node: Node): Node[] {
  return [node, ...'children' in node ? node.children.flatMap(descendants) : []]
}

export async function snippetsOf (page: string): Promise<Snippet[]> {
  return (await nodesOf(page)).filter((node) => node.type === 'code').map(({ lang, value }) => ({
    page,
    language: lang ?? '',
    name: /^(?:\/\/|#) ([\w-]+(?:\.\w+)+)\b/.exec(value)?.[1],
    code: `${value}\n`
  }))
}

/** The targets of all links and images of a page. */
export async function linksOf (page: string): Promise<string[]> {
  return (await nodesOf(page)).flatMap((node) => {
    if (node.type === 'html') return [...node.value.matchAll(/\b(?:href|src)="([^"]*)"/g)].map(([, url]) => url as string)
    return node.type === 'link' || node.type === 'image' || node.type === 'definition' ? [node.url] : []
  })
}

/** The anchors that GitHub gives to the headings of a page. */
export async function anchorsOf (page: string): Promise<string[]> {
  const slugger = new GithubSlugger()
  return (await nodesOf(page)).filter((node) => node.type === 'heading')
    .map((heading) => slugger.slug(descendants(heading).map((node) => 'value' in node ? node.value : '').join('')))
}
