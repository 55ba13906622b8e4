-- Ends an API key that was replaced by another one: after a grace, and never later than it would have ended. Only the
-- first one that replaces it counts.
--
-- flags: allow-oom
--
-- KEYS[1]  record_key  usher:key:<sha256 of the API key>  hash: what the key may do
-- ARGV[1]  successor  text: id of the key that replaces it
-- ARGV[2]  grace_ms   integer: for how long it stays valid, ms
--
-- Returns {'retired', expires_at: integer}     (change)
--         {'unknown_key'}                      there is no such key
--         {'retired_before', successor: text}  by the key of this id

-- include: time

local record_key = unpack(KEYS)
local successor, grace_ms = unpack(ARGV)

if redis.call('EXISTS', record_key) == 0 then return {'unknown_key'} end
local record = redis.call('HMGET', record_key, 'rotated_to', 'expires_at')
if record[1] then return {'retired_before', record[1]} end
local expires_ms = now_ms() + grace_ms
if record[2] then expires_ms = math.min(expires_ms, tonumber(record[2])) end
local expires = string.format('%d', expires_ms)
redis.call('HSET', record_key, 'rotated_to', successor, 'expires_at', expires)
redis.call('PEXPIREAT', record_key, expires)
return {'retired', expires_ms}
