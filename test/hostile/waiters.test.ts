import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { build } from '../helper.ts'

t.test('EDGE-61 of 400 requests for an upload in use a hundred wait, and the others may come again', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  let isHeld = () => {}
  const reached = new Promise<void>((resolve) => { isHeld = resolve })
  const { create, patch, head, request, post } = await build(t, {
    // A hook that takes its time: it holds the lock, and nobody can hurry it.
    onUploadFinish: async () => {
      isHeld()
      await held
    }
  })
  const location = await create(3)
  const finished = patch(location, 0, 'abc')
  await reached

  const answers: LightMyRequestResponse[] = []
  const ways = [() => head(location), () => patch(location, 3, ''), () => head(location), () => request('HEAD', `${location}?x`)]
  const asked = Array.from({ length: 400 }, async (_, i) => {
    const answer = await (ways[i % ways.length] as () => Promise<LightMyRequestResponse>)()
    answers.push(answer)
  })
  const other = await post({ 'upload-length': '3' })
  t.equal(other.statusCode, 201, 'others are served meanwhile')
  t.equal((await head(other.headers.location as string)).statusCode, 200)
  while (answers.length < 300) await new Promise(setImmediate)
  for (const { statusCode, headers } of answers) {
    if (statusCode !== 423 || headers['retry-after'] !== '1') t.fail(`${statusCode} at once`)
  }
  t.equal(answers.length, 300, 'a hundred wait')

  release()
  t.equal((await finished).statusCode, 204)
  await Promise.all(asked)
  const late = answers.slice(300).map(({ statusCode }) => statusCode)
  t.same(late.filter((status) => status !== 200 && status !== 204), [], 'and are answered')
})

t.test('LOCK-04 whoever waits for longer than lockTimeout is told so, and never with 5xx', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  let isHeld = () => {}
  const reached = new Promise<void>((resolve) => { isHeld = resolve })
  const { create, patch, head } = await build(t, {
    lockTimeout: 50,
    onUploadFinish: async () => {
      isHeld()
      await held
    }
  })
  const location = await create(3)
  const finished = patch(location, 0, 'abc')
  await reached
  const answers = await Promise.all(Array.from({ length: 200 }, () => head(location)))
  for (const { statusCode, headers } of answers) {
    if (statusCode !== 423 || headers['retry-after'] !== '1') t.fail(`HEAD was answered with ${statusCode}`)
  }
  release()
  t.equal((await finished).statusCode, 204)
  t.equal((await head(location)).statusCode, 200)
})
