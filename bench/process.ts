/** The CPU time and memory of a process and its descendants, from `/proc`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** CPU time, in seconds. */
export interface Cpu { user: number, system: number }

/** The kernel reports CPU time in hundredths of a second (`getconf CLK_TCK`). */
const TICKS = 100

/** The CPU time of a process and its running descendants. */
export function cpuOf (pid: number): Cpu {
  const all = treeOf(pid).map(cpuOfOne)
  return { user: sum(all.map(({ user }) => user)), system: sum(all.map(({ system }) => system)) }
}

function cpuOfOne (pid: number): Cpu {
  // The command name, in parentheses, may itself contain spaces and parentheses (proc_pid_stat(5)).
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS }
}

/** The current resident memory of a process and its descendants, in bytes. Shared pages count for each of them. */
export function residentOf (pid: number): number {
  return sum(treeOf(pid).map((one) => statusOf(one, 'VmRSS')))
}

/** The sum of the peaks of their resident memory so far, in bytes. */
export function peakOf (pid: number): number {
  return sum(treeOf(pid).map((one) => statusOf(one, 'VmHWM')))
}

/** Resets the peak of one process (proc(5), `clear_refs`). */
export function forgetPeak (pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** A process and its descendants (proc_tid_children(5)). */
function treeOf (pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number))
  return [pid, ...children.flatMap(treeOf)]
}

function sum (numbers: number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

function statusOf (pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (found === null) throw new Error(`/proc/${pid}/status has no ${name}`)
  return Number(found[1]) * 1024
}
