import { scriptOf } from './script.ts'

/*
 * The first key is that of an entry: the set of its groups. The others are those of groups: their entries, by the time
 * at which they become stale. Groups in which nothing happens for a week are forgotten.
 */
const WEEK = '604800000'

/**
 * Adds an entry to all groups, or to none if one of them is full.
 * @returns the number of the group that is full, and some of its stale entries
 */
export const addScript = scriptOf(`
local entry, ttl = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count = #KEYS - 1

for i = 1, count do
  local group, max = KEYS[i + 1], tonumber(ARGV[i + 2])
  if max >= 0 and redis.call('ZCARD', group) >= max and not redis.call('ZSCORE', group, entry) then
    return { i, unpack(redis.call('ZRANGEBYSCORE', group, '-inf', '(' .. now, 'LIMIT', 0, 100)) }
  end
end
for i = 1, count do
  redis.call('ZADD', KEYS[i + 1], now + ttl, entry)
  redis.call('PEXPIRE', KEYS[i + 1], ${WEEK})
  redis.call('SADD', KEYS[1], ARGV[i + count + 2])
end
redis.call('PEXPIRE', KEYS[1], ${WEEK})
return false
`)

/** The names of the groups of an entry. */
export const groupsScript = scriptOf(`
return redis.call('SMEMBERS', KEYS[1])
`)

/** Removes an entry from groups. */
export const removeScript = scriptOf(`
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
return redis.call('DEL', KEYS[1])
`)
