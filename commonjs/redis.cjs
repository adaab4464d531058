'use strict'

Object.assign(exports, require('../dist/plugin/locks/redis/index.js'))
