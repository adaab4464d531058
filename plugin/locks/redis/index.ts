export type { RedisClient, RedisSubscriber } from './client.ts'
export { RedisLocker, type RedisLockerOptions } from './redis-locker.ts'
