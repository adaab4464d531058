import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { BrowserContextOptions, Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { makeClip } from './clips.ts'
import { KiB, MiB, give, holds, makeWorld, rowOf, setPreferences, someAccepted, state } from './world.ts'

const world = await makeWorld()
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const screenshots = join(import.meta.dirname, 'screenshots')
await mkdir(screenshots, { recursive: true })

const looks: [string, BrowserContextOptions][] = [
  ['light-en', {}],
  ['dark-en', { colorScheme: 'dark' }],
  ['light-zh', { locale: 'zh-CN' }],
  ['dark-zh', { locale: 'zh-CN', colorScheme: 'dark' }],
  ['narrow-light-en', { viewport: { width: 360, height: 740 } }],
  ['narrow-dark-zh', { viewport: { width: 360, height: 740 }, locale: 'zh-CN', colorScheme: 'dark' }],
  ['quiet-en', { reducedMotion: 'reduce' }]
]

async function inspect (t: Test, page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true })
  await page.evaluate(axe)
  const found = await page.evaluate<{ id: string, nodes: string[] }[]>(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(node => node.html + ' ' + node.failureSummary) })))`)
  t.same(found, [], `${name}: axe finds nothing`)
  const tooWide = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  t.ok(Number(tooWide) <= 0, `${name}: nothing has to be scrolled sideways`)
}

for (const [name, options] of looks) {
  t.test(`the page is readable and accessible: ${name}`, async t => {
    const page = await world.open(t, options)
    await inspect(t, page, `${name}-empty`)

    await setPreferences(page, { sliceSize: 64 * KiB, copyCap: 0 })
    const long = `${'a_long_name'.padEnd(80, '-and-longer')}.webm`
    const paths = await Promise.all(['holiday in the mountains.mp4', 'lecture.mov', 'notes.txt', 'archive.zip', long]
      .map(file => world.file(`${name} ${file}`, 8 * MiB)))
    const small = await world.file(`${name} photo.jpg`, 300 * KiB)
    await give(page, small)
    await state(page, small, 'done')
    world.slow(t)
    const [first, second, third] = paths as [string, string, string]
    await give(page, first)
    await someAccepted(page, first)
    await page.reload()
    await state(page, first, 'missing')
    const wrong = await world.file(`${name} wrong.jpg`, KiB)
    await give(page, second, third, ...paths.slice(3), wrong)
    await someAccepted(page, second)
    await rowOf(page, third).getByRole('button').last().click()
    await page.locator('#settings summary').click()
    await inspect(t, page, `${name}-full`)
    await page.context().setOffline(true)
    await page.locator('[data-state="waiting"]').first().waitFor()
    await inspect(t, page, `${name}-offline`)
    await page.context().setOffline(false)
    world.hurry()

    await page.locator('#cancel-all').click()
    await setPreferences(page, { startAtOnce: false })
    const clip = await world.file(`${name} clip.mp4`, 0)
    await makeClip(clip, 3, { faststart: false })
    await give(page, clip, first)
    await rowOf(page, clip).locator('[data-offer]').waitFor()
    for (const path of [clip, first]) await rowOf(page, path).locator('summary').click()
    await rowOf(page, clip).locator('video').waitFor()
    await rowOf(page, first).locator('pre').waitFor()
    await inspect(t, page, `${name}-inside`)
    await rowOf(page, clip).locator('[data-action="start"]').click()
    await state(page, clip, 'done')
    await rowOf(page, clip).locator('[data-action="watch"]').click()
    await page.locator('#player[open]').waitFor()
    await inspect(t, page, `${name}-player`)
    await page.keyboard.press('Escape')

    await page.locator('#record-camera').click()
    await page.locator('#live-link a').waitFor()
    await inspect(t, page, `${name}-recording`)
    await page.locator('#live-stop').click()
    await page.locator('#live-close').waitFor()

    const [stored] = await world.stored(clip)
    await page.goto(`${world.url}watch.html?id=${stored?.id}`)
    await page.getByRole('heading', { name: `${name} clip.mp4` }).waitFor()
    await holds(page, 'document.querySelector("video").readyState > 1')
    await inspect(t, page, `${name}-watch`)
    await page.goto(`${world.url}watch.html?id=nothing`)
    await page.locator('#player').waitFor({ state: 'hidden' })
    await inspect(t, page, `${name}-watch-nothing`)
  })
}
