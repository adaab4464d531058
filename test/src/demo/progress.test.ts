import t from 'tap'
import { mebibytes, Progress } from '../../../src/demo/progress.ts'

const MiB = 1024 * 1024

function progressOf (isTTY: boolean, total: number, from?: number) {
  const printed: string[] = []
  let time = 0
  const progress = new Progress({ isTTY, write: text => printed.push(text) }, total, from, () => time)
  return { progress, printed, wait: (ms: number) => { time += ms } }
}

t.test('a terminal shows a moving bar', async t => {
  const { progress, printed, wait } = progressOf(true, 30 * MiB)
  progress.update(0)
  wait(1000)
  progress.update(10 * MiB)
  progress.end()
  t.same(printed, [
    `\r   [${'.'.repeat(30)}]   0 %  0 bytes  `,
    `\r   [${'#'.repeat(10)}${'.'.repeat(20)}]  33 %  10.0 MiB  10.0 MiB/s  `,
    '\n'
  ])
})

t.test('other outputs get a line for each tenth', async t => {
  const { progress, printed, wait } = progressOf(false, 100 * MiB)
  wait(1000)
  for (const bytes of [1, 9, 10, 11, 35, 100]) progress.update(bytes * MiB)
  progress.end()
  t.same(printed, [
    '    10 %  10.0 MiB  10.0 MiB/s\n',
    '    35 %  35.0 MiB  35.0 MiB/s\n',
    '   100 %  100.0 MiB  100.0 MiB/s\n'
  ])
})

t.test('the speed after a resumption counts only the bytes since then', async t => {
  const { progress, printed, wait } = progressOf(false, 100 * MiB, 50 * MiB)
  wait(2000)
  progress.update(50 * MiB)
  progress.update(60 * MiB)
  t.same(printed, ['    60 %  60.0 MiB  5.0 MiB/s\n'])
})

t.test('the system clock is the default', async t => {
  const printed: string[] = []
  new Progress({ write: text => printed.push(text) }, 10).update(10)
  t.match(printed[0], /^ +100 % {2}10 bytes/)
})

t.test('sizes are written in the unit that suits them', async t => {
  t.equal(mebibytes(1000), '1000 bytes')
  t.equal(mebibytes(65_536), '64.0 KiB')
  t.equal(mebibytes(1.5 * MiB), '1.5 MiB')
})
