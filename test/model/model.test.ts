/**
 * Random steps of many clients against a server that is killed now and then, compared with a small model. `STEPS` sets
 * their number (default 200); `SEED` repeats a run.
 */
import t from 'tap'
import { explore } from './explore.ts'
import { directoriesIn } from './storage/directory.ts'

const steps = Number(process.env['STEPS'] ?? 200)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)

t.test(`no acknowledged byte is lost in random steps (SEED=${seed})`, { timeout: 0 }, async (t) => {
  await explore(t, { steps, seed, deadly: 60, newStorage: directoriesIn(t.testdir()) })
})
