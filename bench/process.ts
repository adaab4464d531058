/** The CPU time and memory of a process, from `/proc`. */
import { readFileSync, writeFileSync } from 'node:fs'

/** The CPU time of a process, in seconds. */
export interface Cpu { user: number, system: number }

/** The kernel reports CPU time in hundredths of a second (`getconf CLK_TCK`). */
const TICKS = 100

export function cpuOf (pid: number): Cpu {
  // The command name, in parentheses, may itself contain spaces and parentheses (proc_pid_stat(5)).
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS, system: Number(fields[12]) / TICKS }
}

/** The current resident memory, in bytes. */
export function residentOf (pid: number): number {
  return statusOf(pid, 'VmRSS')
}

/** The peak resident memory so far, in bytes. */
export function peakOf (pid: number): number {
  return statusOf(pid, 'VmHWM')
}

/** Resets the peak (proc(5), `clear_refs`). */
export function forgetPeak (pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusOf (pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  if (found === null) throw new Error(`/proc/${pid}/status has no ${name}`)
  return Number(found[1]) * 1024
}
