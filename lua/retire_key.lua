-- Ends an API key that was replaced by another one: after a grace, and never later than it would have ended. Only the
-- first one that replaces it counts.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:key:<sha256 of the API key>  hash: what the key may do
-- ARGV[1]  id of the key that replaces it
-- ARGV[2]  for how long it stays valid, ms
--
-- Returns {1, expires_at in ms}
--         {0}  there is no such key
--         {-1, id of the key that has replaced it already}

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
local record = redis.call('HMGET', KEYS[1], 'rotated_to', 'expires_at')
if record[1] then return {-1, record[1]} end
local expires_ms = now_ms() + ARGV[2]
if record[2] then expires_ms = math.min(expires_ms, tonumber(record[2])) end
local expires = string.format('%d', expires_ms)
redis.call('HSET', KEYS[1], 'rotated_to', ARGV[1], 'expires_at', expires)
redis.call('PEXPIREAT', KEYS[1], expires)
return {1, expires_ms}
