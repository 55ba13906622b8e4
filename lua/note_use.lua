-- Notes that an API key was used, to the minute. A key that has expired or was revoked stays gone.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:key:<sha256 of the API key>  hash: what the key may do
--
-- Returns 1 noted, 0 noted for this minute already, -1 there is no such key

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local minute_ms = math.floor(now_ms() / 60000) * 60000
local minute = string.format('%d', minute_ms)
-- Also in place of a later one: the clock was set back since.
if redis.call('HGET', KEYS[1], 'last_used_at') == minute then return 0 end
redis.call('HSET', KEYS[1], 'last_used_at', minute)
return 1
