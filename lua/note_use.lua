-- Notes that an API key was used, to the minute. A key that has expired or was revoked stays gone.
--
-- flags: allow-oom
--
-- KEYS[1]  record_key  usher:key:<sha256 of the API key>  hash: what the key may do
--
-- Returns 'noted'
--         'known'        for this minute already
--         'unknown_key'  there is no such key

-- include: time

local record_key = unpack(KEYS)

if redis.call('EXISTS', record_key) == 0 then return 'unknown_key' end
local minute_ms = math.floor(now_ms() / 60000) * 60000
local minute = string.format('%d', minute_ms)
-- Also in place of a later one: the clock was set back since.
if redis.call('HGET', record_key, 'last_used_at') == minute then return 'known' end
redis.call('HSET', record_key, 'last_used_at', minute)
return 'noted'
