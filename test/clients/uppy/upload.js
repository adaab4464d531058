// Uploads each chosen file to `?endpoint=`, and says in <output> how that ended.
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

const output = document.querySelector('output')
const input = document.querySelector('input')
const endpoint = new URLSearchParams(window.location.search).get('endpoint')
const uppy = new Uppy({ autoProceed: true }).use(Tus, { endpoint, retryDelays: [] })

uppy.on('complete', ({ successful }) => { if (successful.length > 0) output.value = `uploaded: ${successful[0].uploadURL}` })
uppy.on('upload-error', (file, error) => { output.value = `failed: ${error.message}` })
input.addEventListener('change', () => {
  for (const file of input.files) uppy.addFile(file)
})
