/** Processes that take locks all the time, and are killed or stopped. `KILLS` sets how many (default 100). */
import path from 'node:path'
import t from 'tap'
import { startProcess } from '../locks/local/processes.ts'
import { temporaryDirectory } from '../helper.ts'

const kills = Number(process.env['KILLS'] ?? 100)
const PROCESSES = 4

t.test(`no two processes hold a lock of a LocalLocker, in ${kills} kills`, { timeout: 0 }, async (t) => {
  const directory = await temporaryDirectory(t)
  const files = ['a', 'b', 'c'].map((name) => path.join(directory, name))
  const dead = new Set<number>()
  let held = 0
  let wrong = 0
  let onHeld = () => {}
  const start = () => {
    const started = startProcess(t, path.join(directory, 'locks'))
    started.onHeld = (others) => {
      held++
      const strangers = others.filter((pid) => pid !== 0 && !dead.has(pid))
      if (strangers.length > 0) t.comment(`${started.pid} saw ${strangers.join()}`, running.map(({ pid }) => pid))
      wrong += strangers.length
      onHeld()
    }
    started.order({ hammer: files }).catch(() => {})
    return started
  }
  const running = Array.from({ length: PROCESSES }, start)
  /** Waits until locks are passed on again: a kill that blocked them would never get past this. */
  const progress = async (wanted: number) => {
    const target = held + wanted
    await new Promise<void>((resolve) => { onHeld = () => { if (held >= target) resolve() } })
  }
  for (let i = 0; i < kills; i++) {
    await progress(Math.ceil(Math.random() * 20))
    const at = i % PROCESSES
    const victim = running[at] as ReturnType<typeof start>
    if (i % 5 === 4) {
      victim.signal('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, 20))
      victim.signal('SIGCONT')
    }
    dead.add(victim.pid)
    await victim.kill()
    running[at] = start()
  }
  await progress(100)
  for (const { pid, kill } of running) {
    dead.add(pid)
    await kill()
  }
  t.comment({ held, kills })
  t.equal(wrong, 0)
})
