import t from 'tap'
import { findCodecs } from '../../example-client/src/live/codecs.ts'

const bytes = (...parts: (string | number[])[]) => Uint8Array.from(parts.flatMap(part =>
  typeof part === 'string' ? Array.from(part, character => character.charCodeAt(0)) : part))
const cluster = [0x1F, 0x43, 0xB6, 0x75]

t.test('the codecs of a WebM are known once its tracks are complete', async t => {
  t.equal(findCodecs(bytes([0x1A, 0x45, 0xDF, 0xA3], 'V_VP8')), null)
  t.equal(findCodecs(bytes([0x1A, 0x45, 0xDF, 0xA3], 'V_VP8', [0x86], 'A_OPUS', cluster)), 'vp8,opus')
  t.equal(findCodecs(bytes('V_VP9', cluster)), 'vp9')
})

t.test('the codecs of a fragmented mp4 are known with its first fragment', async t => {
  const tracks = ['avcC', [1, 0x42, 0xE0, 0x1E], 'mp4a']
  t.equal(findCodecs(bytes(...tracks)), null)
  t.equal(findCodecs(bytes(...tracks, 'moof')), 'avc1.42E01E,mp4a.40.2')
  t.equal(findCodecs(bytes('Opus', 'moof')), 'opus')
})

t.test('media without a known codec has none', async t => {
  t.equal(findCodecs(bytes('V_THEORA', cluster)), '')
})
