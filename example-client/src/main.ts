import { Memory } from './memory.ts'
import type { KeyValueStorage } from './memory.ts'
import { UploadTask } from './upload.ts'
import { controls, renderFile, renderPage, renderProgress, renderResult, renderSliceSizes } from './view.ts'

const KiB = 1024
const MiB = 1024 * KiB

const endpoint = await findEndpoint()
const memory = new Memory(findStorage(), endpoint)
let task: UploadTask | null = null

renderPage(endpoint, memory.latest(Date.now())?.name ?? null)
renderSliceSizes([256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB, 32 * MiB, 64 * MiB], 8 * MiB)

controls.file.addEventListener('change', () => {
  const file = controls.file.files?.[0]
  if (file) upload(file)
  // So that choosing the same file again counts as a change.
  controls.file.value = ''
})
controls.pause.addEventListener('click', () => {
  task?.pause()
  controls.resume.focus()
})
controls.resume.addEventListener('click', () => {
  task?.resume()
  controls.pause.focus()
})
controls.cancel.addEventListener('click', () => {
  task?.cancel()
  controls.file.focus()
})
window.addEventListener('online', () => task?.online())

function upload (file: File): void {
  renderFile(file)
  const current = new UploadTask(file, {
    endpoint,
    sliceSize: Number(controls.sliceSize.value),
    memory,
    onChange (progress) {
      // An upload that has failed may have been replaced by another one.
      if (task !== current) return
      renderProgress(progress)
      if (progress.state === 'done' && progress.url) renderResult(progress.url, file.type)
    }
  })
  task = current
  task.start()
}

/** `?endpoint=` of the page's address, or what the server says about itself. */
async function findEndpoint (): Promise<string> {
  const asked = new URLSearchParams(location.search).get('endpoint')
  const endpoint = asked ?? await fetch('config.json')
    .then(response => response.json() as Promise<{ endpoint: string }>)
    .then(config => config.endpoint, () => '/files')
  return new URL(endpoint, location.href).href
}

function findStorage (): KeyValueStorage | null {
  try {
    return localStorage
  } catch {
    // Reading the property throws where the visitor has forbidden all storage.
    return null
  }
}
