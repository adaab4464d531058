import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'

const root = path.join(import.meta.dirname, '../..')

/** The files that each file imports at run time; types are erased. */
async function importsIn (folder: string): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>()
  for (const name of await readdir(path.join(root, folder), { recursive: true })) {
    if (!name.endsWith('.ts')) continue
    const file = path.join(folder, name)
    const text = await readFile(path.join(root, file), 'utf8')
    const statements = text.matchAll(/^(?:import|export) (?!type\b)[^;']*? from '(\.[^']+)'/gm)
    imports.set(file, [...statements].map(([, target = '']) => path.join(path.dirname(file), target)))
  }
  return imports
}

/** A cycle of imports that contains a file. */
function circleFrom (file: string, imports: Map<string, string[]>, way: string[] = []): string[] | undefined {
  if (way[0] === file) return [...way, file]
  if (way.includes(file)) return undefined
  for (const target of imports.get(file) ?? []) {
    const circle = circleFrom(target, imports, [...way, file])
    if (circle !== undefined) return circle
  }
  return undefined
}

t.test('no file imports itself through others', async (t) => {
  for (const folder of ['plugin', 'src', 'conformance']) {
    const imports = await importsIn(folder)
    t.ok(imports.size > 5, folder)
    for (const file of imports.keys()) t.equal(circleFrom(file, imports), undefined, file)
  }
})
