/** Line plots with two logarithmic axes, as SVG for light and dark pages. */

export interface Line {
  name: string
  /** The index of the colour, from 0. */
  colour: number
  dashed?: boolean
  points: { x: number, y: number }[]
}

export interface Plot {
  title: string
  /** The axes. */
  x: { label: string, ticks: number[], format: (value: number) => string }
  y: { label: string }
  lines: Line[]
}

const WIDTH = 760
const HEIGHT = 440
const LEFT = 70
const RIGHT = 200
const TOP = 48
const BOTTOM = 60
/** The minimum distance between the names at the ends of lines. */
const LINE_HEIGHT = 17

// Colours that colour-blind readers can distinguish (Okabe and Ito), lighter on a dark page.
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .small { font-size: 12px; fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .line { fill: none; stroke-width: 2.5 }
  .dashed { stroke-dasharray: 6 4 }
  .c0 { stroke: #0072b2 } .c1 { stroke: #b35900 } .c2 { stroke: #6e7781 } .c3 { stroke: #007a5a }
  .dot.c0 { fill: #0072b2 } .dot.c1 { fill: #b35900 } .dot.c2 { fill: #6e7781 } .dot.c3 { fill: #007a5a }
  .page { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .c0 { stroke: #56b4e9 } .c1 { stroke: #f0a048 } .c2 { stroke: #9198a1 } .c3 { stroke: #2fc598 }
    .dot.c0 { fill: #56b4e9 } .dot.c1 { fill: #f0a048 } .dot.c2 { fill: #9198a1 } .dot.c3 { fill: #2fc598 }
    .page { fill: #0d1117 }
  }`

export function renderPlot ({ title, x, y, lines }: Plot): string {
  const ys = lines.flatMap(({ points }) => points.map((point) => point.y))
  const yTicks = ticksAround(Math.min(...ys), Math.max(...ys))
  const acrossX = scale(x.ticks, LEFT, WIDTH - RIGHT)
  const acrossY = scale(yTicks, HEIGHT - BOTTOM, TOP)
  const bottom = HEIGHT - BOTTOM
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    text(LEFT, 26, title, 'title'),
    ...yTicks.flatMap((tick) => [
      `<path class="grid" d="M${LEFT} ${acrossY(tick)}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 8, acrossY(tick) + 4, tick.toLocaleString('en'), 'small', 'end')
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path class="grid" d="M${acrossX(tick)} ${bottom}v5"/>`,
      text(acrossX(tick), bottom + 20, x.format(tick), 'small', 'middle')
    ]),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x.label, 'small', 'middle'),
    `<g transform="rotate(-90 18 ${(TOP + bottom) / 2})">${text(18, (TOP + bottom) / 2, y.label, 'small', 'middle')}</g>`,
    ...lines.map((line) => renderLine(line, acrossX, acrossY)),
    ...renderNames(lines, acrossY),
    '</svg>\n'
  ].join('\n')
}

function renderLine ({ colour, dashed, points }: Line, acrossX: Scale, acrossY: Scale): string {
  const places = points.map(({ x, y }) => [acrossX(x), acrossY(y)] as const)
  const path = places.map(([x, y]) => `${x} ${y}`).join('L')
  const dots = places.map(([x, y]) => `<circle class="dot c${colour}" cx="${x}" cy="${y}" r="3.5"/>`).join('')
  return `<path class="line c${colour}${dashed === true ? ' dashed' : ''}" d="M${path}"/>${dots}`
}

/** The names at the ends of the lines, moved apart if they would overlap. */
function renderNames (lines: Line[], acrossY: Scale): string[] {
  const names = lines.map(({ name, colour, points }) => ({ name, colour, y: acrossY(points.at(-1)?.y ?? NaN) }))
  let above = -Infinity
  return names.sort((a, b) => a.y - b.y).map(({ name, colour, y }) => {
    above = Math.max(y, above + LINE_HEIGHT)
    const dot = `<circle class="dot c${colour}" cx="${WIDTH - RIGHT + 18}" cy="${above}" r="3.5"/>`
    return `${dot}${text(WIDTH - RIGHT + 28, above + 4, name)}`
  })
}

type Scale = (value: number) => number

/** A logarithmic scale from the first to the last tick, in tenths of a pixel. */
function scale (ticks: number[], from: number, to: number): Scale {
  const first = Math.log(ticks[0] ?? NaN)
  const last = Math.log(ticks.at(-1) ?? NaN)
  return (value) => Math.round((from + (Math.log(value) - first) / (last - first) * (to - from)) * 10) / 10
}

/** 1, 2, 5, 10, 20 … from below the minimum to above the maximum. */
function ticksAround (least: number, greatest: number): number[] {
  const all = []
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(greatest)); power++) {
    for (const step of [1, 2, 5]) all.push(Number(`${step}e${power}`))
  }
  const first = all.findLastIndex((tick) => tick <= least)
  const last = all.findIndex((tick) => tick >= greatest)
  return all.slice(first, last + 1)
}

function text (x: number, y: number, content: string, name = '', anchor = 'start'): string {
  return `<text x="${x}" y="${y}" class="${name}" text-anchor="${anchor}">${escape(content)}</text>`
}

function escape (content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
}
