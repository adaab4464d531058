import type { Requirement } from './suite.ts'

const NOT_NUMBERS = ['-1', '+5', '5.0', '1e2', '0x10', 'NaN', '', '5 5', '5,5', 'Infinity', '0b1', '\u0665']

const UNSAFE = ['9007199254740993', '99999999999999999999']

/** Hostile numbers. */
export const hostileNumbers: Requirement[] = [
  ...NOT_NUMBERS.flatMap((value): Requirement[] => [
    {
      id: 'EDGE-01',
      title: `Upload-Offset: ${printable(value)} is refused`,
      async run (t) {
        const upload = await t.create({ length: 200 })
        const response = await t.patch(upload, 0, 'x', { headers: { 'Upload-Offset': latin1(value) } })
        // Not a conflict: 409 would mean that the value was parsed as a number.
        t.expect(response, { status: [400, 403, 415] })
        await t.expectOffset(upload, 0)
      }
    },
    {
      id: 'EDGE-01',
      title: `Upload-Length: ${printable(value)} is refused`,
      needs: ['creation'],
      async run (t) {
        const response = await t.post({ length: 3, headers: { 'Upload-Length': latin1(value) } })
        t.expect(response, { status: [400], headers: { Location: null } })
      }
    }
  ]),
  {
    id: 'EDGE-02',
    title: 'Upload-Offset: 005 is read as 5 or refused',
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.patch(upload, 0, 'abcde'), { status: [204] })
      t.expect(await t.patch(upload, 5, 'f', { headers: { 'Upload-Offset': '005' } }), { status: [204, 400] })
    }
  },
  {
    id: 'EDGE-02',
    title: 'Upload-Length: 005 is read as 5 or refused',
    needs: ['creation'],
    async run (t) {
      const response = await t.post({ length: 5, headers: { 'Upload-Length': '005' } })
      t.expect(response, { status: [201, 400] })
      if (response.status !== 201) return
      await t.expectHead(t.located(response), { 'Upload-Length': '5' })
    }
  },
  ...UNSAFE.flatMap((value): Requirement[] => [
    {
      id: 'EDGE-03',
      title: `Upload-Length: ${value} is refused or returned exactly`,
      needs: ['creation'],
      async run (t) {
        const status = t.features.maxSize === undefined ? 400 : 413
        const response = await t.post({ length: 3, headers: { 'Upload-Length': value } })
        t.expect(response, { status: [status, 400, 413, 201] })
        if (response.status === 201) await t.expectHead(t.located(response), { 'Upload-Length': value })
      }
    },
    {
      id: 'EDGE-03',
      title: `Upload-Offset: ${value} is refused`,
      async run (t) {
        const upload = await t.create({ length: 3 })
        const response = await t.patch(upload, 0, 'x', { headers: { 'Upload-Offset': value } })
        t.expect(response, { status: [400, 409, 403, 415] })
        await t.expectOffset(upload, 0)
      }
    }
  ]),
  ...[2, 4, 1_000_000, Number.MAX_SAFE_INTEGER].map((offset): Requirement => ({
    id: 'EDGE-04',
    title: `an append at offset ${offset} to an empty upload of length 3 is a conflict`,
    async run (t) {
      const upload = await t.create({ length: 3 })
      t.expect(await t.patch(upload, offset, 'x'), { status: [409], strictly: { 'Upload-Offset': '0' } })
    }
  })),
  {
    id: 'EDGE-07',
    title: 'Upload-Length and Upload-Defer-Length together are refused',
    needs: ['creation', 'creation-defer-length'],
    async run (t) {
      const response = await t.post({ length: 3, headers: { 'Upload-Defer-Length': '1' } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  },
  ...['0', '2', 'true', ['1', '1'], ''].map((value): Requirement => ({
    id: 'EDGE-08',
    title: `Upload-Defer-Length: ${[value].flat().join(', ') || '(empty)'} is refused`,
    needs: ['creation-defer-length'],
    async run (t) {
      const response = await t.post({ headers: { 'Upload-Defer-Length': value } })
      t.expect(response, { status: [400], headers: { Location: null } })
    }
  })),
  {
    id: 'EDGE-09',
    title: 'PATCH with the current Upload-Length is accepted or refused',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const response = await t.patch(upload, 0, 'abc', { headers: { 'Upload-Length': '6' } })
      t.expect(response, { status: [204, 400] })
    }
  },
  {
    id: 'EDGE-09',
    title: 'PATCH with a different Upload-Length is refused and stores nothing',
    async run (t) {
      const upload = await t.create({ length: 6 })
      const response = await t.patch(upload, 0, 'abc', { headers: { 'Upload-Length': '7' } })
      t.expect(response, { status: [400] })
      await t.expectHead(upload, { 'Upload-Offset': '0', 'Upload-Length': '6' })
    }
  }
]

function latin1 (text: string): string {
  return Buffer.from(text).toString('latin1')
}

function printable (text: string): string {
  return text === '' ? '(empty)' : /^[\x20-\x7e]+$/.test(text) ? text : encodeURIComponent(text)
}
