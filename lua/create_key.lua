-- Writes the record of an API key. An expiry is Redis' own, so that no node's clock decides when a key ends.
--
-- KEYS[1]  record_key  usher:key:<sha256 of the API key>  hash: what the key may do
-- ARGV[1]     expires_at  integer?: expires_at in ms for never
-- ARGV[2...]  fields      pairs: fields of the record, each followed by its value
--
-- Returns {'created', created_at: integer}  (change)
--         {'expired'}                       expires_at has passed

-- include: time

local record_key = unpack(KEYS)
local expires_at = unpack(ARGV, 1, 1)
local fields = {unpack(ARGV, 2)}

local at_ms = now_ms()
local expires = expires_at ~= ''
if expires and tonumber(expires_at) <= at_ms then return {'expired'} end
redis.call('HSET', record_key, 'created_at', at_ms, unpack(fields))
if expires then
  redis.call('HSET', record_key, 'expires_at', expires_at)
  redis.call('PEXPIREAT', record_key, expires_at)
end
return {'created', at_ms}
