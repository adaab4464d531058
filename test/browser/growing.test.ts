import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { Page } from 'playwright-core'
import { until } from '../helper.ts'
import { metadataOf, needs } from '../download/files.ts'
import { freePort } from '../../src/demo/engines/free-port.ts'
import { run } from '../src/process.ts'
import type { Run } from '../src/process.ts'
import { launch, openPage } from './chromium.ts'

/** The length of the clip, in s. */
const SECONDS = 60

/** A clip of a test picture and a tone with its index at the front, about 11 MB. */
function makeClip (file: string): Buffer {
  execFileSync('ffmpeg', [
    '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-f', 'lavfi', '-i', 'sine=frequency=440',
    '-t', String(SECONDS), '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '1500k', '-minrate', '1500k',
    '-maxrate', '1500k', '-bufsize', '1500k', '-x264-params', 'nal-hrd=cbr', '-pix_fmt', 'yuv420p', '-g', '25',
    '-c:a', 'aac', '-movflags', '+faststart', file
  ])
  return readFileSync(file)
}

/** The server in its own process, which can be killed and restarted on the same port. */
async function serve (t: Test, directory: string) {
  const port = await freePort()
  let running: Run
  const start = async () => {
    running = run('src/cli.ts', [], { PORT: String(port), FILES_DIR: directory, LOG_LEVEL: 'info' })
    await running.line('ready for uploads')
  }
  t.teardown(async () => {
    running.child.kill('SIGKILL')
    await running.ended
  })
  await start()
  return {
    base: `http://127.0.0.1:${port}`,
    async killAndRestart () {
      running.child.kill('SIGKILL')
      await running.ended
      await start()
    }
  }
}

/** An upload that sends as much as the test requests. */
async function begin (base: string, bytes: Buffer, metadata: Record<string, string>) {
  const tus = { 'tus-resumable': '1.0.0' }
  const created = await fetch(`${base}/files`, {
    method: 'POST',
    headers: { ...tus, 'upload-length': String(bytes.length), 'upload-metadata': metadataOf(metadata) }
  })
  const url = `${base}${created.headers.get('location')}`
  return {
    url,
    /** @param share - of all bytes */
    async goOnTo (share: number): Promise<void> {
      const head = await fetch(url, { method: 'HEAD', headers: tus })
      const offset = head.headers.get('upload-offset') as string
      const end = Math.floor(bytes.length * share)
      const { status } = await fetch(url, {
        method: 'PATCH',
        headers: { ...tus, 'upload-offset': offset, 'content-type': 'application/offset+octet-stream' },
        body: new Uint8Array(bytes.subarray(Number(offset), end))
      })
      if (status !== 204) throw new Error(`PATCH: ${status}`)
    }
  }
}

/** The state of the video in a page. */
const stateOf = (page: Page) => page.evaluate(() => {
  const { currentTime, videoWidth, readyState, ended, error } = document.querySelector('video') as HTMLVideoElement
  return { currentTime, videoWidth, readyState, ended, error: error?.message }
})

const timeOf = async (page: Page) => (await stateOf(page)).currentTime

/** Waits until the video plays past a time and shows pictures. An error of the video fails the test. */
async function plays (page: Page, beyond: number): Promise<void> {
  let last: unknown
  for (const start = Date.now(); Date.now() - start < 60_000; await wait(100)) {
    const state = last = await stateOf(page)
    if (state.error !== undefined) break
    if (state.currentTime > beyond && state.videoWidth > 0) return
  }
  throw new Error(`It does not play beyond ${beyond} s: ${JSON.stringify(last)}`)
}

t.test('a video plays during its upload, through pauses, restarts and seeks', needs('ffmpeg'), async (t) => {
  const directory = t.testdir({ files: {} })
  const clip = makeClip(path.join(directory, 'clip.mp4'))
  const server = await serve(t, path.join(directory, 'files'))
  const upload = await begin(server.base, clip, { filename: 'clip.mp4', filetype: 'video/mp4' })
  const page = await openPage(t, await launch(t), `${server.base}/healthz`)

  await upload.goOnTo(0.15)
  await page.setContent(`<video src="${upload.url}" muted></video>`)
  // The attribute `autoplay` waits until Chromium expects to reach the end without a pause.
  await page.evaluate(() => (document.querySelector('video') as HTMLVideoElement).play())
  await plays(page, 1)
  t.pass('it starts before half of it is stored')

  // At four times the speed, it reaches the end of the stored bytes long before the pause ends.
  await page.evaluate(() => { (document.querySelector('video') as HTMLVideoElement).playbackRate = 4 })
  await wait(20_000)
  const edge = await timeOf(page)
  t.ok(edge < 0.25 * SECONDS, `it waits, at ${edge} s`)
  await upload.goOnTo(0.4)
  await plays(page, edge + 5)
  t.pass('it continues after a pause of 20 s')

  await server.killAndRestart()
  await upload.goOnTo(0.6)
  await plays(page, 0.45 * SECONDS)
  t.pass('it continues after the server was killed and restarted')

  const seek = (to: number) => page.evaluate((to) => {
    (document.querySelector('video') as HTMLVideoElement).currentTime = to
  }, to)
  await seek(0.55 * SECONDS)
  await plays(page, 0.55 * SECONDS)
  await seek(2)
  await plays(page, 3)
  t.ok(await timeOf(page) < 0.5 * SECONDS)
  t.pass('it continues after a seek ahead within the stored bytes and back')

  const refused = page.waitForResponse((response) => response.status() === 416)
  await seek(0.9 * SECONDS)
  await refused
  // Chromium may treat that as the end of the file, so a page must reload the video.
  const again = (from: number, playbackRate: number) => page.evaluate(({ from, playbackRate }) => {
    const video = document.querySelector('video') as HTMLVideoElement
    video.src = `${video.src}#`
    video.currentTime = from
    video.playbackRate = playbackRate
    return video.play()
  }, { from, playbackRate })
  await again(10, 1)
  await plays(page, 11)
  t.ok(await timeOf(page) < 0.6 * SECONDS, 'it continues after a seek beyond the stored bytes and back')

  await upload.goOnTo(1)
  await again(45, 4)
  await plays(page, SECONDS - 1)
  t.pass('it plays to the end of the clip')
})

t.test('a video that is opened directly plays in its sandbox', needs('ffmpeg'), async (t) => {
  const directory = t.testdir({ files: {} })
  const server = await serve(t, path.join(directory, 'files'))
  // A busy machine needs more time for five pictures than a short clip lasts.
  const file = path.join(directory, 'clip.mp4')
  execFileSync('ffmpeg', [
    '-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=5', '-t', '600', '-c:v', 'libx264',
    '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', '+faststart', file
  ])
  const clip = readFileSync(file)
  const upload = await begin(server.base, clip, { filename: 'clip.mp4', filetype: 'video/mp4' })
  await upload.goOnTo(1)
  const page = await openPage(t, await launch(t), upload.url)
  // No script runs in there, not even that of a test, so the picture must move.
  const session = await page.context().newCDPSession(page)
  const pictures = new Set<string>()
  await until(async () => {
    // A busy browser may never return one.
    const taken = await Promise.race([session.send('Page.captureScreenshot'), wait(2000)])
    if (taken !== undefined) pictures.add(taken.data)
    return pictures.size >= 5
  })
  t.pass()
})

t.test('an uploaded page is downloaded, not run', async (t) => {
  const server = await serve(t, t.testdir())
  const html = Buffer.from('<script>document.title = "run"</script>')
  const upload = await begin(server.base, html, { filename: 'a.html', filetype: 'text/html' })
  await upload.goOnTo(1)
  const page = await openPage(t, await launch(t), `${server.base}/healthz`)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.evaluate((url) => { location.href = url }, upload.url)
  ])
  t.equal(download.suggestedFilename(), 'a.html')
  t.not(await page.title(), 'run')
})
