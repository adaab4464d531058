/**
 * The random steps of `test/model/`, very many, with one process and with three. `STEPS` sets their number (default
 * 20,000; a quarter with three processes); `SEED` repeats a run, and `PROCESSES` selects one of the two.
 */
import t from 'tap'
import { explore } from '../model/explore.ts'

const steps = Number(process.env['STEPS'] ?? 20_000)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const selected = process.env['PROCESSES']

for (const processes of [1, 3].filter((processes) => selected === undefined || Number(selected) === processes)) {
  const count = Math.ceil(processes === 1 ? steps : steps / 4)
  const title = `no acknowledged byte is lost in ${count} steps with ${processes} processes (SEED=${seed})`
  t.test(title, { timeout: 0 }, async (t) => {
    await explore(t, { steps: count, seed, deadly: 60, processes })
  })
}
