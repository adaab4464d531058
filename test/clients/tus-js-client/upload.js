// upload.js ENDPOINT FILE: uploads the file in one request, or resumes an upload that urls.json remembers.
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { FileUrlStorage, Upload } from 'tus-js-client'

const [endpoint, path] = process.argv.slice(2)
const upload = new Upload(createReadStream(path), {
  endpoint,
  metadata: { filename: basename(path) },
  retryDelays: [],
  urlStorage: new FileUrlStorage('urls.json'),
  onSuccess: () => console.log(upload.url),
  onError: (error) => { throw error }
})
const [previous] = await upload.findPreviousUploads()
if (previous) upload.resumeFromPreviousUpload(previous)
upload.start()
