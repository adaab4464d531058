import type * as redis from '../dist/plugin/locks/redis/index.js' with { 'resolution-mode': 'import' }

export type * from '../dist/plugin/locks/redis/index.js' with { 'resolution-mode': 'import' }

export declare const RedisLocker: typeof redis.RedisLocker
export type RedisLocker = redis.RedisLocker
