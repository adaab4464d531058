/**
 * The elements of a header that is a list: separated by commas, which optional white space surrounds. Empty elements do
 * not count (RFC 9110, 5.6.1). Not for lists of quoted strings, which may contain commas.
 */
export function splitList (header = ''): string[] {
  return header.split(',').map((element) => element.trim()).filter((element) => element !== '')
}
