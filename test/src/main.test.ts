import { readFileSync } from 'node:fs'
import { PassThrough, Writable, type WritableOptions } from 'node:stream'
import t from 'tap'
import { readConfig } from '../../src/config.ts'
import type { Config } from '../../src/config.ts'
import { StartError } from '../../src/errors.ts'
import { main } from '../../src/main.ts'
import { start, type RunningServer } from '../../src/server.ts'
import { usage } from '../../src/usage.ts'
import { buffered } from '../helper.ts'

const pkg = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** Runs the command with a server that only records how it was started, or throws. */
async function command (args: string[], { env = {}, isTTY = false, error }: {
  env?: Record<string, string>
  isTTY?: boolean
  error?: Error
} = {}) {
  const configs: Config[] = []
  const stdout = Object.assign(new PassThrough(), { isTTY })
  let stderr = ''
  const code = await main(args, {
    env,
    stdout,
    stderr: { write: text => { stderr += text } }
  }, async config => {
    configs.push(config)
    if (error) throw error
    return { endpoint: 'http://here/files', page: 'http://here/', close: async () => {} }
  })
  return { code, stdout: buffered(stdout), stderr, config: configs[0] }
}

t.test('--help prints the help', async t => {
  t.same(await command(['--help']), { code: 0, stdout: usage(), stderr: '', config: undefined })
})

t.test('--version prints the version', async t => {
  t.same(await command(['-v']), { code: 0, stdout: `${pkg.version}\n`, stderr: '', config: undefined })
})

t.test('conformance has its own command line', async t => {
  const help = await command(['conformance', '--help'])
  t.match(help, { code: 0, stderr: /^$/, config: undefined })
  t.match(help.stdout, /^Usage: fastify-tus conformance \[options\] \[URL\]$/m)

  const wrong = await command(['conformance', '--port', '80'])
  t.match(wrong, { code: 2, stdout: '', config: undefined })
  t.match(wrong.stderr, /^fastify-tus conformance: [^\n]*'--port'/)
})

t.test('the exit code of conformance is 1 if a requirement failed', async t => {
  const { endpoint, close } = await start({ ...readConfig({}), port: 0, directory: t.testdir(), logLevel: 'silent' })
  t.teardown(close)
  const { code, stdout } = await command(['conformance', '--only', 'CORE-04', endpoint])
  t.equal(code, 0)
  t.match(stdout, /\n1 passed, 0 failed, 0 skipped\n$/)
  t.equal((await command(['conformance', '--only', 'CORE-04', endpoint.replace('/files', '/')])).code, 2)
})

t.test('an unknown flag is reported in one line, with exit code 2', async t => {
  const { code, stdout, stderr, config } = await command(['--nope'])
  t.equal(code, 2)
  t.equal(stdout, '')
  t.match(stderr, /^fastify-tus: [^\n]*'--nope'[^\n]*\n$/)
  t.equal(config, undefined)
})

t.test('an invalid variable is reported in one line, with exit code 1', async t => {
  t.same(await command([], { env: { MAX_SIZE: '1GB' } }), {
    code: 1,
    stdout: '',
    stderr: 'fastify-tus: MAX_SIZE (--max-size) must be an integer, 0 or above (bytes), not "1GB"\n',
    config: undefined
  })
})

t.test('the server starts with the variables, and flags override them', async t => {
  const { code, stdout, config } = await command(['--port', '81'], { env: { PORT: '80', HOST: '::1' } })
  t.equal(code, 0)
  t.equal(stdout, '')
  t.match(config, { port: 81, host: '::1' })
})

t.test('the URLs are printed in a terminal', async t => {
  const { stdout } = await command([], { isTTY: true })
  t.equal(stdout, '\nOpen http://here/, or upload to http://here/files with any tus client.\n\n')
})

t.test('an error that the operator can fix is reported in one line', async t => {
  const { code, stderr } = await command([], { error: new StartError('no room') })
  t.equal(code, 1)
  t.equal(stderr, 'fastify-tus: no room\n')
})

t.test('any other error is a bug, and thrown', async t => {
  await t.rejects(command([], { error: new TypeError('a bug') }), { message: 'a bug' })
})

t.test('the server continues without its log if the terminal is closed', async (t) => {
  for (const isTTY of [true, false]) {
    const write: WritableOptions['write'] = (_chunk, _encoding, callback) => callback(new Error('EIO'))
    const stdout = Object.assign(new Writable({ write }), { isTTY })
    let server: RunningServer | undefined
    const env = { PORT: '0', FILES_DIR: t.testdir() }
    const code = await main([], { env, stdout, stderr: process.stderr }, async (config, log) => {
      server = await start(config, log)
      return server
    })
    t.equal(code, 0)
    t.equal((await fetch(`${server?.page}healthz`)).status, 200)
    await server?.close()
    t.ok(stdout.errored)
  }
})
