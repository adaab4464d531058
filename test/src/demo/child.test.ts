import { join } from 'node:path'
import t from 'tap'
import { startChild } from '../../../src/demo/child.ts'
import { killProcesses } from '../../../src/demo/processes.ts'

t.teardown(killProcesses)

t.test('the server runs in a separate process until it is killed', async t => {
  const { pid, endpoint, kill } = await startChild({ FILES_DIR: t.testdir(), PORT: '0' })
  t.not(pid, process.pid)
  t.equal((await fetch(endpoint, { method: 'OPTIONS' })).status, 204)
  await kill()
  await t.rejects(fetch(endpoint))
})

t.test('a server that does not start is reported with the reason', async t => {
  const directory = join(t.testdir({ file: '' }), 'file')
  await t.rejects(startChild({ FILES_DIR: directory, PORT: '0' }), { message: /^The server did not start: fastify-tus: FILES_DIR/ })
})

t.test('all processes are killed at exit', async t => {
  const { endpoint, kill } = await startChild({ FILES_DIR: t.testdir(), PORT: '0' })
  killProcesses()
  await kill()
  await t.rejects(fetch(endpoint))
})
