import { Readable } from 'node:stream'
import t from 'tap'
import { sha256 } from '../../../src/demo/compare.ts'

t.test('the hash covers all bytes', async t => {
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  t.equal(await sha256(Readable.from([Buffer.from('a'), Buffer.from('bc')])), abc)
})
