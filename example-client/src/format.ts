const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** A number of bytes: "8 MiB", "1.53 GiB". */
export function formatBytes (bytes: number, locale: string): string {
  let value = bytes
  let unit = 0
  // Not 1024, because 1023.96 would be written as 1,024.
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const maximumFractionDigits = value < 10 ? 2 : value < 100 ? 1 : 0
  return `${value.toLocaleString(locale, { maximumFractionDigits })} ${units[unit]}`
}

/** Bytes per second: "12.5 MiB/s". */
export function formatSpeed (bytesPerSecond: number, locale: string): string {
  return `${formatBytes(bytesPerSecond, locale)}/s`
}

/** A share in whole percent. It is rounded down, so that only a complete upload has 100%. An empty one has, too. */
export function formatPercent (part: number, total: number, locale: string): string {
  const share = total > 0 ? Math.floor(part * 100 / total) / 100 : 1
  return share.toLocaleString(locale, { style: 'percent', maximumFractionDigits: 0 })
}

/** A duration in its two largest units: "1 hr 5 min", "40 sec". */
export function formatDuration (seconds: number, locale: string): string {
  const rest = Math.ceil(seconds)
  const parts: [number, string][] = rest >= 3600
    ? [[Math.floor(rest / 3600), 'hour'], [Math.floor(rest % 3600 / 60), 'minute']]
    : [[Math.floor(rest / 60), 'minute'], [rest % 60, 'second']]
  return parts
    .filter(([value], index) => value > 0 || (index === 1 && rest === 0))
    .map(([value, unit]) => value.toLocaleString(locale, { style: 'unit', unit, unitDisplay: 'short' }))
    .join(' ')
    // Intl writes no space between a number and a Chinese word.
    .replace(/(?<=\d)(?=\p{Script=Han})/gu, ' ')
}

/**
 * Untrusted text, such as a file name, with U+FFFD for each invisible character: control
 * characters and bidirectional controls, which can make a name that ends with `exe` appear to end with `pdf`.
 */
export function showControls (text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, '\uFFFD')
}

/** A time in a video: "1:02:03", "0:07". */
export function formatClock (seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0)
  const parts = [Math.floor(whole / 3600), Math.floor(whole % 3600 / 60), whole % 60]
  if (parts[0] === 0) parts.shift()
  return parts.map((part, index) => index > 0 ? String(part).padStart(2, '0') : String(part)).join(':')
}
