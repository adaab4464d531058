import type { Requirement } from './suite.ts'

const needs = ['termination']

/** termination: deleting an upload. */
export const termination: Requirement[] = [
  {
    id: 'TERM-01',
    title: 'DELETE deletes if and only if termination is advertised',
    async run (t) {
      const upload = await t.create({ length: 6 })
      if (t.offers('termination')) {
        t.expect(await t.delete(upload), { status: [204] })
        t.expect(await t.head(upload), { status: [404, 410] })
      } else {
        t.expect(await t.delete(upload), { status: [405, 400, 403, 404, 501] })
        await t.expectOffset(upload, 0)
      }
    }
  },
  {
    id: 'TERM-02',
    title: 'a started upload is deleted',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      await t.patch(upload, 0, 'abc')
      t.expect(await t.delete(upload), { status: [204] })
    }
  },
  {
    id: 'TERM-02',
    title: 'a finished upload is deleted',
    needs,
    async run (t) {
      const upload = await t.finished()
      const response = await t.delete(upload)
      if (response.status === 403 || response.status === 409) t.skip('finished uploads are protected')
      t.expect(response, { status: [204] })
      t.expect(await t.get(upload), { status: [404, 410, 405] })
    }
  },
  {
    id: 'TERM-03',
    title: 'HEAD, PATCH and DELETE do not find a deleted upload',
    needs,
    async run (t) {
      const upload = await t.create({ length: 6 })
      t.expect(await t.delete(upload), { status: [204] })
      t.expect(await t.head(upload), { status: [404, 410], headers: { 'Upload-Offset': null } })
      t.expect(await t.patch(upload, 0, 'abc'), { status: [404, 410] })
      t.expect(await t.delete(upload), { status: [404, 410] })
    }
  },
  {
    id: 'TERM-04',
    title: 'an unknown upload is not found',
    needs,
    async run (t) {
      t.expect(await t.delete(t.unknown), { status: [404, 410] })
    }
  },
  {
    id: 'TERM-05',
    title: 'DELETE displaces an append in progress, and late bytes do not restore the upload',
    needs,
    async run (t) {
      const upload = await t.create({ length: 1000 })
      const exchange = await t.stall(upload, 0, 1000, 'a'.repeat(400))
      t.expect(await t.delete(upload), { status: [204] })
      await exchange.write('b'.repeat(600))
      t.expect(await t.head(upload), { status: [404, 410] })
      await t.answer(exchange)
      t.expect(await t.head(upload), { status: [404, 410] })
    }
  },
  {
    id: 'TERM-07',
    title: 'a finished upload is deleted, or kept and DELETE refused with 403 or 409',
    needs,
    async run (t) {
      const upload = await t.finished()
      const response = await t.delete(upload)
      t.expect(response, { status: [204, 403, 409] })
      t.expect(await t.head(upload), { status: response.status === 204 ? [404, 410] : [200, 204] })
    }
  }
]
