'use strict'

// The CommonJS entry point: the exports of the module itself, so that a process has each class once.
Object.assign(exports, require('../dist/plugin/index.js'))
