-- Writes the record of an API key. An expiry is Redis' own, so that no node's clock decides when a key ends.
--
-- KEYS[1]  usher:key:<sha256 of the API key>  hash: what the key may do
-- ARGV[1]  expires_at in ms, or '' for never
-- ARGV[2...]  fields of the record, each followed by its value
--
-- Returns created_at in ms, 0 if expires_at has passed

-- include: time

local at_ms = now_ms()
local expires = ARGV[1] ~= ''
if expires and tonumber(ARGV[1]) <= at_ms then return 0 end
redis.call('HSET', KEYS[1], 'created_at', at_ms, unpack(ARGV, 2))
if expires then
  redis.call('HSET', KEYS[1], 'expires_at', ARGV[1])
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return at_ms
