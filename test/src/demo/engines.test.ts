import t from 'tap'
import { startOnFreePort } from '../../../src/demo/engines/start.ts'
import { DemoError } from '../../../src/demo/errors.ts'
import { killProcesses } from '../../../src/demo/processes.ts'

t.teardown(killProcesses)

const script = (text: string) => ({ program: process.execPath, args: (port: number) => ['-e', text, String(port)] })

t.test('a program is ready once its port is open', async t => {
  const answering = script('require("http").createServer((_, r) => r.end("here")).listen(process.argv[1], "127.0.0.1")')
  const { port, child } = await startOnFreePort(answering, t.testdir())
  t.equal(await (await fetch(`http://127.0.0.1:${port}`)).text(), 'here')
  t.type(child.pid, 'number')
})

t.test('a program that ends is started on other ports, and then reported with its output', async t => {
  const ports = new Set<number>()
  const { program, args } = script('console.error("no, thanks")')
  const ending = { program, args: (port: number) => { ports.add(port); return args(port) } }
  await t.rejects(startOnFreePort(ending, t.testdir()), { constructor: DemoError, message: /has ended: no, thanks\n$/ })
  t.equal(ports.size, 3)
})
