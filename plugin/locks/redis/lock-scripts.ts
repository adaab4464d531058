import { type Script, scriptOf } from './script.ts'

/*
 * The keys of an upload, in one slot of a cluster:
 * - `lock`: the token of the holder. It expires with the lease.
 * - `queue`: the tokens of the requests that wait, in order of arrival.
 * - `seen`: when each of these last asked for the lock. A process that ends does not take them out of the queue.
 * - `count`: grows with each lock; its value at that time is the epoch of the lock.
 *
 * A token begins with the name of its process. Each process has a channel: `release` asks for a lock, and `grant`
 * offers one. A lock that was granted expires soon if its process does not confirm it.
 */
const common = `
local lock, queue, seen, count = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, ttl, patience = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function send (word, token)
  redis.call('PUBLISH', channel .. string.match(token, '^[^:]+'), word .. ' ' .. token)
end

local function number ()
  local next = redis.call('INCR', count)
  redis.call('PEXPIRE', count, 86400000)
  return next
end

local function forget (token)
  redis.call('ZREM', queue, token)
  redis.call('HDEL', seen, token)
end

local function first ()
  while true do
    local token = redis.call('ZRANGE', queue, 0, 0)[1]
    if not token then return nil end
    if now - (redis.call('HGET', seen, token) or 0) <= patience then return token end
    forget(token)
  end
end

local function give (token, lease)
  forget(token)
  redis.call('SET', lock, token, 'PX', lease)
  return number()
end

local function pass ()
  local token = first()
  if not token then return end
  give(token, patience)
  send('grant', token)
end
`

/** Takes the lock if it is free and no request waits for it; returns its epoch. */
export const tryScript = script(`
local token = ARGV[4]
if redis.call('EXISTS', lock) == 1 then return false end
if first() then
  pass()
  return false
end
return give(token, ttl)
`)

/**
 * Puts requests into the queue unless they are in it, and takes the lock if it is their turn; otherwise asks the holder
 * to release it. Confirms a lock that was granted.
 * @returns the token that holds the lock, its epoch, and how many requests wait, if it is one of these requests
 */
export const enterScript = script(`
local function isOurs (token)
  for i = 4, #ARGV do if ARGV[i] == token then return true end end
  return false
end

local holder = redis.call('GET', lock)
for i = 4, #ARGV do
  local token = ARGV[i]
  if token ~= holder then
    if not redis.call('ZSCORE', queue, token) then redis.call('ZADD', queue, number(), token) end
    redis.call('HSET', seen, token, now)
  end
end
redis.call('PEXPIRE', queue, 2 * ttl)
redis.call('PEXPIRE', seen, 2 * ttl)

if holder and isOurs(holder) then
  redis.call('PEXPIRE', lock, ttl)
  return { holder, tonumber(redis.call('GET', count)), redis.call('ZCARD', queue) }
end
if holder then
  send('release', holder)
  return false
end
local token = first()
if isOurs(token) then return { token, give(token, ttl), redis.call('ZCARD', queue) } end
pass()
return false
`)

/** Extends the lease. Returns 0 if another request may have held the lock. */
export const renewScript = script(`
if redis.call('GET', lock) ~= ARGV[4] then return 0 end
return redis.call('PEXPIRE', lock, ttl)
`)

/** Takes a request out of the queue; passes its lock on if it holds it. */
export const leaveScript = script(`
local token = ARGV[4]
forget(token)
if redis.call('GET', lock) ~= token then return 0 end
redis.call('DEL', lock)
pass()
return 1
`)

function script (body: string): Script {
  return scriptOf(common + body)
}
