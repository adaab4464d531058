import { createHash } from 'node:crypto'
import t from 'tap'
import { BodyVerifier } from '../../../plugin/uploads/body/checksum.ts'
import { ReleaseSignal } from '../../../plugin/uploads/locking/release-signal.ts'

const digest = createHash('sha1').update('abc').digest()

/** A checksum in a trailer that was not announced, so that the body has to be read back. */
function rig () {
  const checksum = { algorithm: 'sha1', digest }
  return new BodyVerifier({ checksum: undefined, announced: false, trailer: () => checksum })
}

t.test('a body is read back for a trailer that was not announced', async (t) => {
  const readBack = async function * () { yield * [Buffer.from('ab'), Buffer.from('c')] }
  await t.resolves(rig().verify({ readBack }, new ReleaseSignal()))
})

t.test('reading a body back stops as soon as the lock has to be released', async (t) => {
  const release = new ReleaseSignal()
  const displaced = new Error('displaced')
  let buffers = 0
  let isClosed = false
  const readBack = async function * () {
    try {
      for (;;) {
        if (++buffers === 3) release.request(displaced)
        yield Buffer.from('abc')
      }
    } finally {
      isClosed = true
    }
  }
  await t.rejects(rig().verify({ readBack }, release), displaced)
  t.equal(buffers, 3)
  t.ok(isClosed)
})
