import t from 'tap'
import { encodeMetadata, parseMetadata } from '../../example-client/src/metadata.ts'

t.test('metadata that was written is read again', async t => {
  const metadata = { filename: '假期.mp4', filetype: 'video/mp4' }
  t.same(parseMetadata(encodeMetadata(metadata)), metadata)
})

t.test('metadata of other clients is read as far as it can be', async t => {
  t.same(parseMetadata(''), {})
  t.same(parseMetadata('private'), { private: '' })
  t.same(parseMetadata('name %%%, filename YQ=='), { name: '%%%', filename: 'a' })
})
