import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { readUploads, sha256 } from '../browser/storage.ts'
import { throttle } from '../browser/throttle.ts'
import { freePort } from '../../src/demo/engines/free-port.ts'
import { installPackages } from './install.ts'

const MiB = 1024 * 1024
const SIZE = 8 * MiB
const MIDDLE = 2 * MiB
// In bytes per second. No upload completes between its middle and the kill.
const SLOW = MiB / 2
const ALMOST_STOPPED = MiB / 64

// tap makes its child processes load its compiler with NODE_OPTIONS. These run the same code as users.
const env = { ...process.env, NODE_OPTIONS: '' }

/** A client that uploads one file. */
export interface Client {
  /** Resolves once the URL of the upload is on disk; omitted if a client sends nothing before. */
  remembers?: () => Promise<void>
  /** Kills all processes of the client with SIGKILL. */
  kill: () => Promise<void>
  /** Resolves once the client reports success; rejects if it reports anything else. */
  succeeded: () => Promise<void>
}

export type StartClient = (file: string, endpoint: string) => Promise<Client>

/** Polls for a condition, and leaves the processors to the client meanwhile. */
export async function until (happened: () => Promise<boolean>): Promise<void> {
  while (!await happened()) await wait(50)
}

/** Kills the process group of a child, and waits until it has ended. */
export async function killGroup (child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  process.kill(-(child.pid as number), 'SIGKILL')
  await closed
}

export interface Program extends Client {
  /** Resolves with the first line of the output. */
  firstLine: () => Promise<string>
}

/** Starts a program that uploads a file and ends. In `directory` it keeps the URL of the upload. */
export function startProgram (directory: string, command: string, args: string[]): Program {
  const child = spawn(command, args, { cwd: directory, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return {
    firstLine: () => new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once('line', resolve)
        .once('close', () => reject(new Error(`${command} ended without output`)))
    }),
    kill: () => killGroup(child),
    async succeeded () {
      const [stdout, stderr] = await ended
      if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode}:\n${stdout}\n${stderr}`)
    }
  }
}

/** Packs the package as npm does, installs it into a separate project, and starts its server. */
async function startPackedServer (scratch: string, uploads: string, port: number): Promise<ChildProcess> {
  const root = join(import.meta.dirname, '../..')
  const pack = ['pack', '--silent', '--pack-destination', scratch]
  const { stdout } = await promisify(execFile)('npm', pack, { cwd: root })
  await installPackages(scratch, join(scratch, stdout.trim()))
  const server = spawn(process.execPath, [
    join(scratch, 'node_modules/fastify-tus/dist/src/cli.js'), '--port', String(port), '--dir', uploads
  ], { cwd: scratch, env: { ...env, LOG_LEVEL: 'info' }, stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (lines) => { if (String(lines).includes('ready for uploads')) resolve() })
    server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)))
  })
  return server
}

/** The packed server behind a slow connection. */
export interface Rig {
  /** A directory that is deleted at the end of `t`. */
  scratch: string
  /** Kills a client in the middle of an upload, starts it again, and compares what arrives. */
  killAndResume: (t: Test, start: StartClient) => Promise<void>
}

export async function makeRig (t: Test): Promise<Rig> {
  const scratch = await mkdtemp(join(tmpdir(), 'fastify-tus-clients-'))
  t.teardown(() => rm(scratch, { recursive: true, force: true }))
  const uploads = join(scratch, 'uploads')
  const port = await freePort()
  const project = join(scratch, 'project')
  await mkdir(project)
  const server = await startPackedServer(project, uploads, port)
  t.teardown(() => { server.kill('SIGKILL') })
  const way = await throttle(port)
  t.teardown(() => way.close())
  const endpoint = `http://127.0.0.1:${way.port}/files`

  return {
    scratch,
    async killAndResume (t, start) {
      const name = `${randomBytes(4).toString('hex')}.bin`
      const file = join(scratch, name)
      await writeFile(file, randomBytes(SIZE))
      const stored = async () => (await readUploads(uploads)).filter(({ filename }) => filename === name)

      way.rate = SLOW
      const killed = await start(file, endpoint)
      t.teardown(() => killed.kill())
      const early = killed.succeeded().then(() => { throw new Error('the upload ended before it was killed') })
      await Promise.race([early, until(async () => ((await stored())[0]?.bytes ?? 0) >= MIDDLE)])
      way.rate = ALMOST_STOPPED
      await killed.remembers?.()
      await killed.kill()
      // Bytes of a dead process that the system still buffers would arrive after it.
      way.cut()
      way.rate = 0
      const [before, ...others] = await stored()
      t.ok(before !== undefined && before.bytes < SIZE, `killed at ${before?.bytes} of ${SIZE} bytes`)
      t.same(others, [], 'in one upload')

      const resumed = await start(file, endpoint)
      t.teardown(() => resumed.kill())
      await resumed.succeeded()
      const after = await stored()
      const ids = after.map(({ id, bytes }) => ({ id, bytes }))
      t.same(ids, [{ id: before?.id, bytes: SIZE }], 'the same upload is complete')
      t.equal(await sha256(after[0]?.path as string), await sha256(file), 'its bytes are those of the file')
    }
  }
}
