/** Runs the snippets of pages that upload, in Node.js. */
import type { Test } from 'tap'
import type { Upload } from '../../plugin/index.ts'
import { build, until } from '../helper.ts'
import type { Built } from '../helper.ts'
import { importSnippet } from './snippets.ts'
import type { Adapt } from './snippets.ts'

export interface Visit extends Pick<Built, 'stored' | 'app'> {
  /** The elements of the page, by their names. */
  elements: Record<string, Record<string, unknown>>
  /** What the snippet wrote to the console. */
  printed: string[]
  /** The requests that the server got. */
  requests: Array<{ method: string, headers: Record<string, unknown> }>
  /** The upload that is finished. */
  upload: Upload
}

export interface VisitOptions {
  /** The status with which the next request is refused, if any. */
  refuse?: (method: string) => number | undefined
  adapt?: Adapt
}

/** Imports a snippet whose page has an `<input>`, chooses the file `hello.txt`, and waits until it is uploaded. */
export async function visit (t: Test, page: string, name: string, options: VisitOptions = {}): Promise<Visit> {
  const { refuse = () => undefined, adapt = (code) => code } = options
  let choose = () => {}
  // tus-js-client for Node.js takes buffers as files.
  const file = Object.assign(Buffer.from('hello'), { name: 'hello.txt', type: 'text/plain' })
  const elements: Visit['elements'] = {
    input: { files: [file], addEventListener: (_type: string, listener: () => void) => { choose = listener } },
    progress: {}
  }
  Object.assign(globalThis, { document: { querySelector: (name: string) => elements[name] } })
  t.teardown(() => Reflect.deleteProperty(globalThis, 'document'))

  const requests: Visit['requests'] = []
  let upload: Upload | undefined
  const onUploadFinish = (_request: unknown, finished: Upload) => { upload = finished }
  const { app, listen, stored } = await build(t, { onUploadFinish }, {}, (app) => {
    app.addHook('onRequest', async ({ method, headers }, reply) => {
      requests.push({ method, headers })
      const status = refuse(method)
      if (status !== undefined) return reply.code(status).send()
    })
  })
  const origin = await listen()
  const { printed } = await importSnippet(t, page, name, (code, directory) =>
    adapt(code, directory).replace('http://localhost:1080', origin))
  choose()
  await until(() => upload !== undefined)
  return { app, stored, elements, printed, requests, upload: upload as unknown as Upload }
}
