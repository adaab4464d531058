'use strict'

// What `require('fastify-tus')` loads: the exports of the module itself, so that a process has one of each class.
Object.assign(exports, require('../dist/plugin/index.js'))
