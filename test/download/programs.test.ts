import { execFile } from 'node:child_process'
import type http from 'node:http'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { build, sampleBytes } from '../helper.ts'
import { finished, needs } from './files.ts'

const run = promisify(execFile)

t.test('curl reads a range, and resumes an interrupted download', needs('curl'), async (t) => {
  const built = await build(t)
  const bytes = sampleBytes(1_000_000)
  const url = `${await built.listen()}${await finished(built, bytes)}`
  const part = path.join(built.directory, 'part')
  await writeFile(part, bytes.subarray(0, 400_000))
  const curl = ['-sf', '--noproxy', '*', url]
  const { stdout } = await run('curl', [...curl, '-r', '1000-200999'], { encoding: 'buffer' })
  t.ok(stdout.equals(bytes.subarray(1000, 201_000)))
  await run('curl', [...curl, '-C', '-', '-o', part])
  t.ok((await readFile(part)).equals(bytes))
})

t.test('ffprobe and ffmpeg seek in a video by its ranges', needs('ffprobe', 'ffmpeg'), async (t) => {
  const built = await build(t)
  const file = path.join(built.directory, 'long.mp4')
  // Two minutes, with the index at the end.
  const source = path.join(import.meta.dirname, '../fixtures/clip.mp4')
  await run('ffmpeg', ['-v', 'error', '-stream_loop', '19', '-i', source, '-c', 'copy', file])
  const bytes = await readFile(file)
  const url = `${await built.listen()}${await finished(built, bytes, { filetype: 'video/mp4' })}`
  const ranges: string[] = []
  built.app.server.on('request', ({ headers }: http.IncomingMessage) => ranges.push(String(headers.range)))

  const probe = await run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration,size', '-of', 'json', url])
  t.match(JSON.parse(probe.stdout), { format: { duration: /^12\d\./, size: String(bytes.length) } })
  const hash = (from: string) => run('ffmpeg', ['-v', 'error', '-ss', '100', '-t', '1', '-i', from, '-f', 'md5', '-'])
  t.equal((await hash(url)).stdout, (await hash(file)).stdout)
  t.ok(ranges.some((range) => /^bytes=[1-9]/.test(range)), `it requested ${ranges.join(', ')}`)
})
