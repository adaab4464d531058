'use strict'

// The CommonJS entry point `fastify-tus/s3`: the exports of the module itself, so that a process has each class once.
Object.assign(exports, require('../dist/plugin/stores/s3/index.js'))
