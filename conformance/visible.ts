/** Characters that control a terminal or hide text, but for tab and line feed, which the report itself uses. */
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * What another server sent, for a terminal: control characters become text. The escapes are those of JSON, so that a
 * report in JSON stays one.
 */
export function visible (text: string): string {
  return text.replace(HIDDEN, (hidden) => Array.from({ length: hidden.length }, (_, index) =>
    `\\u${hidden.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''))
}
