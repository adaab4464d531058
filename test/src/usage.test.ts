import t from 'tap'
import { StartError } from '../../src/errors.ts'
import { settings } from '../../src/settings.ts'
import { parseCommandLine, usage } from '../../src/usage.ts'

t.test('flags stand for variables', async t => {
  t.same(parseCommandLine([]), { help: false, version: false, env: {} })
  t.same(parseCommandLine(['--port', '80', '--dir=/srv', '--max-size', '5']).env, {
    PORT: '80',
    FILES_DIR: '/srv',
    MAX_SIZE: '5'
  })
})

t.test('help and version have a short flag', async t => {
  t.equal(parseCommandLine(['-h']).help, true)
  t.equal(parseCommandLine(['--help']).help, true)
  t.equal(parseCommandLine(['-v']).version, true)
  t.equal(parseCommandLine(['--version']).version, true)
})

t.test('an unknown flag, or a flag without its value, is refused in one line', async t => {
  for (const args of [['--nope'], ['-x'], ['word'], ['--port'], ['--port', '--dir'], ['--help=1']]) {
    const error = t.throws(() => parseCommandLine(args), StartError) as unknown as StartError
    t.match(error.message, /^[^\n]+: see fastify-tus --help$/, args.join(' '))
  }
})

t.test('a negative number is the value of its flag, and refused by the check of values', async t => {
  t.same(parseCommandLine(['--expiration', '-1', '--max-size=-2']).env, { EXPIRATION_MS: '-1', MAX_SIZE: '-2' })
  t.throws(() => parseCommandLine(['-1']), { message: /^Unknown option '-1': see fastify-tus --help$/ })
})

t.test('the help lists every variable with its flag and default, in lines that fit a terminal', async t => {
  const lines = usage().split('\n')
  for (const [name, setting] of Object.entries(settings)) {
    const line = lines.find(line => line.endsWith(` ${name}=${setting.schema.default}`))
    t.ok(line, name)
    if ('flag' in setting) t.match(line, `--${setting.flag} ${setting.value}`)
  }
  t.ok(lines.every(line => line.length <= 90))
  t.ok(lines.includes('       fastify-tus conformance [options] [URL]'))
})
