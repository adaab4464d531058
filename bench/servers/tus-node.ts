/** `@tus/server` with `@tus/file-store` on the HTTP server of Node.js. */
import { fail } from './questions.ts'
import { listen } from './serve.ts'
import { tus } from './tus.ts'

listen((request, response) => { tus.handle(request, response).catch(fail) })
