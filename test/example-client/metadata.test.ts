import t from 'tap'
import { encodeMetadata } from '../../example-client/src/metadata.ts'

t.test('metadata is written in Base64 of UTF-8', async t => {
  t.equal(encodeMetadata({ filename: '假期.mp4', filetype: 'video/mp4' }),
    'filename 5YGH5pyfLm1wNA==,filetype dmlkZW8vbXA0')
})
