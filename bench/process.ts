/** What Linux tells about a process: processor time and memory. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Processor time of a process, in seconds. */
export interface Cpu { user: number, system: number }

/** The kernel tells processor time in hundredths of a second (`getconf CLK_TCK`). */
const TICKS = 100

export function cpuOf (pid: number): Cpu {
  // The name of the command, which stands in parentheses, may itself have spaces and parentheses (proc_pid_stat(5)).
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS }
}

/** Resident memory now, in bytes. */
export function residentOf (pid: number): number {
  return statusOf(pid, 'VmRSS')
}

/** The most resident memory so far, in bytes. */
export function peakOf (pid: number): number {
  return statusOf(pid, 'VmHWM')
}

/** Lets the peak begin anew (proc(5), `clear_refs`). */
export function forgetPeak (pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusOf (pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (found === null) throw new Error(`/proc/${pid}/status has no ${name}`)
  return Number(found[1]) * 1024
}
