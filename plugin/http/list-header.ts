/**
 * The elements of a comma-separated header, without the white space around them. Empty elements do not count
 * (RFC 9110, 5.6.1). Not for lists of quoted strings, which may contain commas.
 */
export function splitList (header = ''): string[] {
  return header.split(',').map((element) => element.trim()).filter((element) => element !== '')
}
