/** What snippets use of packages that the tests do not install. */

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
