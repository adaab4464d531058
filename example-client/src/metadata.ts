/** `Upload-Metadata`: keys with UTF-8 values in Base64 (tus 1.0.0, Creation). */
export function encodeMetadata (metadata: Record<string, string>): string {
  return Object.entries(metadata).map(([key, value]) =>
    `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`).join(',')
}
