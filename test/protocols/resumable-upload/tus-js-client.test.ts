import t from 'tap'
import { Upload } from 'tus-js-client'
import type { UploadOptions } from 'tus-js-client'
import { sampleBytes, sha256 } from '../../helper.ts'
import { buildResumable } from './client.ts'

const SLICE = 64 * 1024
/** The types of version 4 lack the option. */
type Options = UploadOptions & { protocol: string }

const bytes = sampleBytes(4 * SLICE + 1)

for (const protocol of ['ietf-draft-03', 'ietf-draft-05'] as const) {
  t.test(`tus-js-client with ${protocol} uploads, resumes and completes`, async (t) => {
    const finished: unknown[] = []
    const { listen, stored } = await buildResumable(t, {
      onUploadFinish: (_request, { metadata, size }) => { finished.push({ metadata, size }) }
    })
    const sent: string[] = []
    const options: Options = {
      endpoint: `${await listen()}/files`,
      protocol,
      chunkSize: SLICE,
      retryDelays: null,
      metadata: { filename: 'a.bin' },
      onBeforeRequest: (request) => { sent.push(request.getMethod()) }
    }
    const url = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(bytes as never, {
        ...options,
        onError: reject,
        onChunkComplete: (_size, offset) => {
          if (offset < 2 * SLICE) return
          upload.abort().then(() => resolve(upload.url ?? ''), reject)
        }
      })
      upload.start()
    })
    t.same(finished, [])
    await new Promise<void>((resolve, reject) => {
      new Upload(bytes as never, { ...options, uploadUrl: url, onError: reject, onSuccess: () => resolve() }).start()
    })
    t.same(finished, [{ metadata: { filename: 'a.bin' }, size: bytes.length }])
    t.equal(sha256(await stored(new URL(url).pathname)), sha256(bytes))
    t.same(sent.slice(0, 3), ['POST', 'PATCH', 'PATCH'])
    t.equal(sent.filter((method) => method === 'HEAD').length, 1)
  })

  t.test(`tus-js-client with ${protocol} sends the file with the creation, and an empty file`, async (t) => {
    const { listen, stored } = await buildResumable(t)
    for (const content of [bytes, Buffer.alloc(0)]) {
      const url = await new Promise<string>((resolve, reject) => {
        listen().then((origin) => {
          const options: Options = {
            endpoint: `${origin}/files`,
            protocol,
            uploadDataDuringCreation: true,
            onError: reject,
            onSuccess: () => resolve(upload.url ?? '')
          }
          const upload: Upload = new Upload(content as never, options)
          upload.start()
        }, reject)
      })
      t.equal(sha256(await stored(new URL(url).pathname)), sha256(content))
    }
  })
}
