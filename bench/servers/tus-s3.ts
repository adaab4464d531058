/** `@tus/server` with `@tus/s3-store` on the HTTP server of Node.js. */
import { S3Store } from '@tus/s3-store'
import { Server } from '@tus/server'
import { s3ClientConfig } from '../../src/demo/engines/recipes.ts'
import { fail } from './questions.ts'
import { listen, options } from './serve.ts'

const { bucket, s3, partSize } = options
const s3ClientConfigOf = { bucket: String(bucket), ...s3ClientConfig(`http://127.0.0.1:${s3}`) }
const datastore = new S3Store({ partSize: Number(partSize), s3ClientConfig: s3ClientConfigOf })
const tus = new Server({ path: '/files', datastore })

listen((request, response) => { tus.handle(request, response).catch(fail) })
