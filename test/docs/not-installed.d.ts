/** What snippets use of packages that the tests do not install. */

declare module '@tus/s3-store' {
  import { DataStore } from '@tus/utils'

  export class S3Store extends DataStore {
    constructor (options: {
      partSize?: number
      s3ClientConfig: { bucket: string, region?: string, endpoint?: string }
    })
  }
}

declare module '@uppy/core' {
  export default class Uppy {
    constructor (options?: { autoProceed?: boolean })
    use (plugin: unknown, options?: object): this
    on (event: 'upload-success', listener: (file: unknown, response: { uploadURL?: string }) => void): this
    on (event: 'upload-error', listener: (file: unknown, error: Error) => void): this
    addFile (file: File): string
  }
}

declare module '@uppy/tus' {
  export default class Tus {}
}
