import path from 'node:path'

const calls = /^(openat|write|writev|pwrite64|pwritev|pwritev2|fsync|fdatasync|rename|renameat|renameat2|sendto|sendmsg)\(/

/** One system call: its first and last line in the trace, and its effect. */
interface Call {
  from: number
  to: number
  did: string
}

/**
 * Reads the output of `strace -f -y`: which files of a directory a server created, wrote, synced and renamed, and its
 * responses, in order. Uploads are called `data`, their records `record`, temporary files `temporary record` or
 * `temporary data`.
 * @throws Error if two calls overlap that must be sequential
 */
export function readTrace (trace: string, directory: string): string[] {
  const done: Call[] = []
  const begun = new Map<string, { from: number, text: string }>()
  for (const [number, line] of trace.split('\n').entries()) {
    const [, pid = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(text)
    if (text.endsWith('<unfinished ...>')) {
      begun.set(pid, { from: number, text: text.slice(0, -'<unfinished ...>'.length) })
      continue
    }
    const { from = number, text: before = '' } = resumed === null ? {} : begun.get(pid) ?? {}
    const did = describe(before + (resumed?.[1] ?? text), directory)
    if (did !== undefined) done.push({ from, to: number, did })
  }
  done.sort((a, b) => a.from - b.from)
  for (const [i, call] of done.entries()) {
    const next = done[i + 1]
    if (next !== undefined && next.from < call.to) throw new Error(`"${next.did}" began before "${call.did}" had ended`)
  }
  return done.map(({ did }) => did).filter((did, i, all) => did !== all[i - 1])
}

function describe (call: string, directory: string): string | undefined {
  const [, name = ''] = calls.exec(call) ?? []
  const status = /"HTTP\/1\.1 (\d+)/.exec(call)?.[1]
  if (status !== undefined) return `response ${status}`
  const files = [...call.matchAll(/["<](\/[^">]*)[">]/g)].map(([, file]) => file as string)
    .filter((file) => file === directory || path.dirname(file) === directory).map((file) => nameOf(file, directory))
  const [first, second] = files
  if (first === undefined || / = -1 /.test(call)) return undefined
  if (name === 'openat') return call.includes('O_CREAT') ? `create ${first}` : undefined
  if (name.startsWith('rename')) return `rename ${first} to ${second}`
  if (name.endsWith('sync')) return `sync ${first}`
  return name === '' ? undefined : `write ${first}`
}

function nameOf (file: string, directory: string): string {
  if (file === directory) return 'directory'
  if (/\.json\.[0-9a-f]{8}\.tmp$/.test(file)) return 'temporary record'
  if (file.endsWith('.tmp')) return 'temporary data'
  return file.endsWith('.json') ? 'record' : 'data'
}
