/** The random steps of `test/model/`, very many. `STEPS` sets their number (default 20,000); `SEED` repeats a run. */
import t from 'tap'
import { explore } from '../model/explore.ts'

const steps = Number(process.env['STEPS'] ?? 20_000)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

t.test(`no acknowledged byte is lost in ${steps} steps (SEED=${seed})`, { timeout: 0 }, async (t) => {
  await explore(t, { steps, seed, deadly: 60 })
})
