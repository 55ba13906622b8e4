-- Brings a lease that ends later than any could, since the clock was set back, to the latest end that it can have: the
-- supervisor, which counts by a clock that nobody sets, has ended the bot by then unless the lease is renewed.
-- Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  leases_key  usher:{pX}:leases        zset: lease expiry (ms) -> bot_id
-- KEYS[2]  bot_key     usher:{pX}:bot:<bot_id>  hash: the bot
-- ARGV[1]  bot_id      text
-- ARGV[2]  longest_ms  integer: the longest time to live of any lease, ms: of one whose record has none
--
-- Returns 'bounded'    brought forward
--         'unchanged'  it is as it should be, or there is none

-- include: time

local leases_key, bot_key = unpack(KEYS)
local bot_id, longest_ms = unpack(ARGV)

local expiry = redis.call('ZSCORE', leases_key, bot_id)
if not expiry then return 'unchanged' end
local latest = now_ms() + (tonumber(redis.call('HGET', bot_key, 'lease_ms') or '') or tonumber(longest_ms))
if tonumber(expiry) <= latest then return 'unchanged' end
redis.call('ZADD', leases_key, latest, bot_id)
return 'bounded'
