import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { snippet } from '../docs/snippets.ts'
import {
  buildTusgo, copyProgram, installPackages, installTusJavaClient, installTuspy, needs, npmSpec
} from './install.ts'
import { makeRig, startProgram } from './rig.ts'
import { uppyIn } from './uppy.ts'
import { versions } from './versions.ts'

const root = join(import.meta.dirname, '../..')
const rig = await makeRig(t)

async function directoryOf (name: string): Promise<string> {
  const directory = join(rig.scratch, name)
  await mkdir(directory)
  return directory
}

t.test('the script of the guide resumes after curl was killed', needs(['curl', '--version']), async (t) => {
  const directory = await directoryOf('curl')
  const script = join(directory, 'upload.sh')
  let path: string | undefined
  await rig.killAndResume(t, async (file, endpoint) => {
    const code = await snippet('docs/guides/curl.md', 'upload.sh')
    await writeFile(script, code.replace('http://127.0.0.1:1080', new URL(endpoint).origin))
    const client = startProgram(directory, 'sh', [script, file, ...path === undefined ? [] : [path]])
    path ??= await client.firstLine()
    return client
  })
})

t.test('tuspy resumes after it was killed', needs(['python3', '-m', 'ensurepip', '--version']), async (t) => {
  const directory = await directoryOf('tuspy')
  await copyProgram('tuspy', directory)
  const python = await installTuspy(directory)
  await rig.killAndResume(t, async (file, endpoint) =>
    startProgram(directory, python, ['upload.py', endpoint, file]))
})

const java = needs(['javac', '--version'], ['mvn', '--version'])

t.test('tus-java-client resumes after it was killed', java, async (t) => {
  const directory = await directoryOf('tus-java-client')
  await copyProgram('tus-java-client', directory)
  const jar = await installTusJavaClient(directory)
  await rig.killAndResume(t, async (file, endpoint) =>
    startProgram(directory, 'java', ['-cp', jar, 'Upload.java', endpoint, file]))
})

t.test('tusgo resumes after it was killed', needs(['go', 'version']), async (t) => {
  const directory = await directoryOf('tusgo')
  await copyProgram('tusgo', directory)
  const upload = await buildTusgo(directory)
  await rig.killAndResume(t, async (file, endpoint) => startProgram(directory, upload, [endpoint, file]))
})

t.test('tus-js-client resumes after its Node.js process was killed', async (t) => {
  const directory = await directoryOf('tus-js-client')
  await copyProgram('tus-js-client', directory)
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  await installPackages(directory, npmSpec('tus-js-client'))
  await rig.killAndResume(t, async (file, endpoint) =>
    startProgram(directory, process.execPath, ['upload.js', endpoint, file]))
})

const chromium = needs([process.env.CHROMIUM_PATH || 'chromium', '--version'])

t.test('Uppy resumes after its Chromium was killed', chromium, async (t) => {
  await rig.killAndResume(t, await uppyIn(t, await directoryOf('uppy')))
})

for (const readme of ['README.md', 'README.zh-CN.md']) {
  t.test(`${readme} lists these clients, with their versions`, async (t) => {
    const text = await readFile(join(root, readme), 'utf8')
    const row = text.split('\n').find((line) => line.includes('`npm run test:clients`'))
    for (const [name, version] of Object.entries(versions)) t.ok(row?.includes(`${name} ${version}`), `${name} ${version}`)
  })
}
