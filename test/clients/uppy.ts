import { spawn } from 'node:child_process'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'
import type { Test } from 'tap'
import { chromiumPath } from '../browser/chromium.ts'
import { snippet } from '../docs/snippets.ts'
import { copyProgram, installPackages, npmSpec } from './install.ts'
import { killGroup, until } from './rig.ts'
import type { StartClient } from './rig.ts'

const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--remote-debugging-port=0']

/** Installs Uppy, bundles the page of the guide, and serves it from a separate origin until the end of the test. */
async function servePage (t: Test, directory: string): Promise<string> {
  await copyProgram('uppy', directory)
  const code = await snippet('docs/guides/uppy.md', 'uppy.js')
  const endpoint = 'new URLSearchParams(location.search).get(\'endpoint\')'
  await writeFile(join(directory, 'upload.js'), code.replace('\'http://localhost:1080/files\'', endpoint))
  await installPackages(directory, npmSpec('@uppy/core'), npmSpec('@uppy/tus'))
  await build({ root: directory, configFile: false, logLevel: 'error' })
  const server = await preview({ root: directory, configFile: false, preview: { host: '127.0.0.1', port: 0 } })
  t.teardown(() => server.close())
  return server.resolvedUrls?.local[0] as string
}

/** Whether the profile has a URL of tus-js-client on disk: Chromium writes localStorage with a delay. */
async function remembers (profile: string): Promise<boolean> {
  const folder = join(profile, 'Default/Local Storage/leveldb')
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.log'))
  const logs = await Promise.all(files.map((name) => readFile(join(folder, name))))
  return logs.some((log) => log.includes('tus::'))
}

/** A Chromium whose page uploads a file with Uppy, with one profile for every start. */
export async function uppyIn (t: Test, directory: string): Promise<StartClient> {
  const site = join(directory, 'site')
  const profile = join(directory, 'profile')
  await mkdir(site)
  const url = await servePage(t, site)

  return async (file, endpoint) => {
    const child = spawn(chromiumPath(), [...flags, `--user-data-dir=${profile}`], {
      detached: true, stdio: ['ignore', 'ignore', 'pipe']
    })
    t.teardown(() => killGroup(child))
    const address = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stderr }).on('line', (line) => {
        const found = /^DevTools listening on (\S+)/.exec(line)?.[1]
        if (found !== undefined) resolve(found)
      })
      child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}`)))
    })
    const browser = await chromium.connectOverCDP(address)
    const page = await browser.contexts()[0]?.newPage()
    if (page === undefined) throw new Error('Chromium has no context')
    await page.goto(`${url}?endpoint=${encodeURIComponent(endpoint)}`)
    // By its path, as a user chooses it: over CDP, setInputFiles() sends the bytes.
    const session = await page.context().newCDPSession(page)
    const { root } = await session.send('DOM.getDocument')
    const { nodeId } = await session.send('DOM.querySelector', { nodeId: root.nodeId, selector: 'input' })
    await session.send('DOM.setFileInputFiles', { nodeId, files: [file] })
    return {
      remembers: () => until(() => remembers(profile)),
      kill: () => killGroup(child),
      async succeeded () {
        const output = page.locator('output:not(:empty)')
        await output.waitFor({ state: 'attached', timeout: 0 })
        const said = await output.textContent()
        if (!said?.startsWith('uploaded: ')) throw new Error(`Uppy: ${said}`)
      }
    }
  }
}
