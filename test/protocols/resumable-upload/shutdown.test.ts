import t from 'tap'
import { rawRequest } from '../../raw-request.ts'
import { buildResumable, locationOf, version } from './client.ts'

for (const headers of [version, {}]) {
  const isAnnounced = 'upload-draft-interop-version' in headers
  const what = isAnnounced ? 'is closed without a response' : 'gets 503'
  t.test(`case 50: on shutdown, the connection of a client ${isAnnounced ? 'with' : 'without'} a version ${what}`, async (t) => {
    const { app, listen, begin, untilStored, stored } = await buildResumable(t)
    const origin = await listen()
    const location = locationOf(await begin('?0', 'ab'))
    const { response } = await rawRequest(t, origin, 'PATCH', location, {
      ...headers,
      'upload-complete': '?1',
      'upload-offset': '2',
      'content-type': 'application/partial-upload',
      'content-length': '10'
    }, 'cdef')
    await untilStored(location, 6)
    const closed = app.close()
    if (isAnnounced) await t.rejects(response, /no response/)
    else t.match(await response, { status: 503, headers: { 'upload-complete': '?0', 'upload-offset': '6' } })
    await closed
    t.equal((await stored(location)).toString(), 'abcdef')
  })
}

t.test('interimResponses: false sends none', async (t) => {
  const { listen } = await buildResumable(t, { interimResponses: false })
  const { response } = await rawRequest(t, await listen(), 'POST', '/files', {
    ...version, 'upload-complete': '?1', 'content-length': '3'
  }, 'abc')
  t.match(await response, { status: 201, headers: { 'upload-complete': '?1' } })
})
