/** Characters that control a terminal or hide text, except tab and line feed, which the report itself uses. */
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * Escapes control characters, so that text from another computer is safe on a terminal. The escapes are those of JSON,
 * so a JSON report stays valid.
 */
export function visible (text: string): string {
  return text.replace(HIDDEN, (hidden) => Array.from({ length: hidden.length }, (_, index) =>
    `\\u${hidden.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''))
}
