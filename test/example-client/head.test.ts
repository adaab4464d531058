import t from 'tap'
import { dumpHex, readText } from '../../example-client/src/inspect/head.ts'

t.test('text is recognized even if its last character is incomplete', async t => {
  const bytes = new TextEncoder().encode('一\t二\r\n')
  t.equal(readText(bytes), '一\t二\r\n')
  t.equal(readText(bytes.subarray(0, 5)), '一\t')
  t.equal(readText(new Uint8Array()), '')
})

t.test('invalid UTF-8 and control characters are not text', async t => {
  t.equal(readText(Uint8Array.of(0xff, 0xfe, 65)), null)
  t.equal(readText(Uint8Array.of(65, 0, 66)), null)
})

t.test('a hex dump has sixteen bytes per line', async t => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => index + 0x30)
  t.equal(dumpHex(bytes, 2), [
    '0000  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?',
    '0010  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO'
  ].join('\n'))
  t.match(dumpHex(Uint8Array.of(1, 0x7f)), /^0000 {2}01 7f +\.\.$/)
})
