/**
 * The runnable server with three workers, of which one at a time is killed while clients upload. `KILLS` sets how often
 * (default 40); `SEED` repeats the choices.
 */
import { once } from 'node:events'
import t from 'tap'
import { dice } from './dice.ts'
import { type FailedRequest, TusClient } from './tus-clients.ts'
import { WorkerLog } from './worker-log.ts'
import { temporaryDirectory } from '../helper.ts'
import { run } from '../src/process.ts'

const kills = Number(process.env['KILLS'] ?? 40)
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const WORKERS = 3
const CLIENTS = 16
/** The next kill waits for up to this many responses. */
const RESPONSES = 100

/** The failed requests, by whose fault they are. */
class Failures {
  /** On connections of killed workers; on those that no worker had read from, while a worker was killed. */
  readonly expected = { ofVictims: 0, unread: 0 }
  readonly wrong: string[] = []
  readonly #log: WorkerLog
  readonly #victims = new Set<number>()
  #undecided: FailedRequest[] = []

  constructor (log: WorkerLog) {
    this.#log = log
  }

  add (failed: FailedRequest): void {
    this.#undecided.push(failed)
  }

  /** Call once the log is read up to the end of the victim. */
  decide (victim: number): void {
    this.#victims.add(victim)
    for (const { text, port = 0, since, end, isCut, isDuringKill } of this.#undecided) {
      const pid = this.#log.pidOf(port, since, end)
      if (isCut && pid === undefined && isDuringKill) this.expected.unread++
      else if (isCut && pid !== undefined && this.#victims.has(pid)) this.expected.ofVictims++
      else this.wrong.push(`${text} (port ${port}, worker ${pid}, killed: ${[...this.#victims].join()})`)
    }
    this.#undecided = []
  }
}

t.test(`${kills} kills of workers harm only their connections (SEED=${seed})`, { timeout: 0 }, async (t) => {
  const directory = await temporaryDirectory(t)
  const server = run('src/cli.ts', ['--workers', String(WORKERS)], { FILES_DIR: directory })
  t.teardown(() => server.child.kill('SIGKILL'))
  const log = new WorkerLog(server.child.stdout as NonNullable<typeof server.child.stdout>)
  const { endpoint } = JSON.parse(await server.line('ready for uploads')) as { endpoint: string }
  await log.untilReady(WORKERS)

  const next = dice(seed)
  const failures = new Failures(log)
  const count = { begun: 0, ended: 0 }
  let responses = 0
  let onResponse = () => {}
  const clients = Array.from({ length: CLIENTS }, (_, number) => new TusClient(number, {
    endpoint,
    directory,
    seed,
    kills: count,
    onResponse: () => {
      responses++
      onResponse()
    },
    onFailed: (failed) => failures.add(failed)
  }))
  let isOver = false
  const uploading = Promise.all(clients.map(async (client) => await client.run(() => !isOver)))
  /** Waits until requests succeed again. */
  const progress = async () => {
    const target = responses + next() * RESPONSES
    await new Promise<void>((resolve) => { onResponse = () => { if (responses > target) resolve() } })
  }
  const kill = async () => {
    const victim = [...log.ready][Math.floor(next() * log.ready.size)] as number
    count.begun++
    await log.kill(victim)
    count.ended++
    failures.decide(victim)
  }
  const killing = async () => {
    while (count.begun < kills) {
      await progress()
      await kill()
      // Now and then, only one worker is left.
      await log.untilReady(next() < 0.3 ? WORKERS - 1 : WORKERS)
      if (log.ready.size < WORKERS - 1) await log.untilReady(WORKERS)
    }
    await progress()
    isOver = true
  }
  await Promise.all([uploading, killing()])
  failures.decide(0)
  const uploads = clients.reduce((sum, client) => sum + client.uploads, 0)
  t.comment(JSON.stringify({ kills: count.ended, uploads, responses, failed: failures.expected }))
  t.same(failures.wrong, [])
  t.ok(failures.expected.ofVictims > 0, 'kills hit requests')

  server.child.kill('SIGTERM')
  await once(server.child, 'exit')
  const { code, stderr } = await server.ended
  t.equal(stderr, '')
  t.equal(code, 0)
  t.same(log.problems, [])
})
