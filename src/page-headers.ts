/**
 * For the page and all other responses except uploads. The page keeps media as blobs and small pictures as `data:`
 * URLs, computes hashes in a worker with WebAssembly, and uploads to another server if `?endpoint=` names one.
 */
const policy = {
  'default-src': '\'self\'',
  'script-src': '\'self\' \'wasm-unsafe-eval\'',
  'img-src': '\'self\' blob: data:',
  'media-src': '\'self\' blob: http: https:',
  'connect-src': '\'self\' http: https:',
  'object-src': '\'none\'',
  'base-uri': '\'none\'',
  'form-action': '\'none\'',
  'frame-ancestors': '\'none\''
}

export const PAGE_HEADERS = {
  'content-security-policy': Object.entries(policy).map((directive) => directive.join(' ')).join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff'
}
