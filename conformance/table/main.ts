import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configurations, wires } from '../configurations.ts'
import { askOurselves } from '../own.ts'
import { renderTotals } from '../report.ts'
import { Tally } from '../tally.ts'
import { askPeer } from './ask-peer.ts'
import { renderPage } from './page.ts'
import { findPeers } from './peers.ts'
import type { Column } from './page.ts'

const root = new URL('../../', import.meta.url)
const directory = await mkdtemp(join(tmpdir(), 'fastify-tus-table-'))

try {
  const columns: Column[] = [await ours(false)]
  const strict = (await ours(true)).tally.totals
  const { peers, leftOut } = await findPeers()
  for (const peer of peers) {
    const { tally, crashes } = await askPeer(peer, join(directory, peer.name))
    const { name, version } = peer
    columns.push({ name, version, options: peer.configurations.map(({ options }) => options), tally, crashes })
  }
  for (const { name, tally } of columns) console.log(`${name}: ${renderTotals(tally.totals)}`)

  const page = new URL('docs/internals/conformance.md', root)
  await mkdir(new URL('.', page), { recursive: true })
  await writeFile(page, renderPage({ columns, leftOut, strict, date: new Date() }))
  console.log(`written to ${fileURLToPath(page)}`)
} finally {
  await rm(directory, { recursive: true, force: true })
}

/** Over HTTP/1.1, like the other servers. */
async function ours (strict: boolean): Promise<Column> {
  const { name, version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Record<string, string>
  const tally = new Tally()
  const { runs, close } = await askOurselves(wires[0]!, join(directory, `ours-${strict}`), () => true, { strict })
  for (const { asked, results } of runs) {
    for (const [i, result] of (await Promise.all(results)).entries()) tally.add(asked[i]!, result)
  }
  await close()
  return { name: name!, version: version!, options: configurations.map(({ name }) => name), tally, crashes: 0 }
}
