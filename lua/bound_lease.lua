-- Brings a lease that ends later than any could, since the clock was set back, to the latest end that it can have: the
-- supervisor, which counts by a clock that nobody sets, has ended the bot by then unless the lease is renewed.
-- Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:leases        zset: lease expiry (ms) -> bot_id
-- KEYS[2]  usher:{pX}:bot:<bot_id>  hash: the bot
-- ARGV[1]  bot_id
-- ARGV[2]  the longest time to live of any lease, ms: of one whose record has none
--
-- Returns 1 brought forward, 0 it is as it should be, or there is none

-- include: time

local expiry = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not expiry then return 0 end
local latest = now_ms() + (tonumber(redis.call('HGET', KEYS[2], 'lease_ms') or '') or tonumber(ARGV[2]))
if tonumber(expiry) <= latest then return 0 end
redis.call('ZADD', KEYS[1], latest, ARGV[1])
return 1
