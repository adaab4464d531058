/** `Upload-Metadata`: keys, and their values in Base64 of UTF-8 (tus 1.0.0, Creation). */
export function encodeMetadata (metadata: Record<string, string>): string {
  return Object.entries(metadata).map(([key, value]) =>
    `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`).join(',')
}

/** The keys of `Upload-Metadata` and their values, which are Base64 of UTF-8 (tus 1.0.0, Creation). */
export function parseMetadata (header: string): Record<string, string> {
  return Object.fromEntries(header.split(',').filter(Boolean).map(pair => {
    const [key = '', value = ''] = pair.trim().split(' ')
    return [key, decode(value)]
  }))
}

function decode (base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), character => character.charCodeAt(0)))
  } catch {
    // Some clients send what is no Base64.
    return base64
  }
}
