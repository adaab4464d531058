import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { build } from '../helper.ts'

t.test('EDGE-61 of 400 requests for a locked upload a hundred wait, and the others are asked to retry', async (t) => {
  let release = () => {}
  const held = new Promise<void>((resolve) => { release = resolve })
  let isHeld = () => {}
  const reached = new Promise<void>((resolve) => { isHeld = resolve })
  const { create, patch, head, request, post } = await build(t, {
    // A slow hook: it holds the lock, and cannot be hurried.
    onUploadFinish: async () => {
      isHeld()
      await held
    }
  })
  const location = await create(3)
  const finished = patch(location, 0, 'abc')
  await reached

  const responses: LightMyRequestResponse[] = []
  const ways = [() => head(location), () => patch(location, 3, ''), () => head(location), () => request('HEAD', `${location}?x`)]
  const asked = Array.from({ length: 400 }, async (_, i) => {
    const response = await (ways[i % ways.length] as () => Promise<LightMyRequestResponse>)()
    responses.push(response)
  })
  const other = await post({ 'upload-length': '3' })
  t.equal(other.statusCode, 201, 'other uploads are served meanwhile')
  t.equal((await head(other.headers.location as string)).statusCode, 200)
  while (responses.length < 300) await new Promise(setImmediate)
  for (const { statusCode, headers } of responses) {
    if (statusCode !== 423 || headers['retry-after'] !== '1') t.fail(`${statusCode} at once`)
  }
  t.equal(responses.length, 300, 'a hundred wait')

  release()
  t.equal((await finished).statusCode, 204)
  await Promise.all(asked)
  const late = responses.slice(300).map(({ statusCode }) => statusCode)
  t.same(late.filter((status) => status !== 200 && status !== 204), [], 'and get a response')
})

t.test('LOCK-04 a request that waits longer than lockTimeout gets a 423, and never a 5xx', async (t) => {
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
  const responses = await Promise.all(Array.from({ length: 200 }, () => head(location)))
  for (const { statusCode, headers } of responses) {
    if (statusCode !== 423 || headers['retry-after'] !== '1') t.fail(`the status of HEAD is ${statusCode}`)
  }
  release()
  t.equal((await finished).statusCode, 204)
  t.equal((await head(location)).statusCode, 200)
})
