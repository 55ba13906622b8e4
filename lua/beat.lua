-- A node or a runner says that it is there. Whoever has said nothing for a while is taken off the list, and what it
-- said ends by itself. Repeating it changes nothing but the times.
--
-- flags: allow-oom
--
-- KEYS[1]  peers_key  usher:{nodes} or usher:{runners}            zset: when it counts as gone (ms) -> id
-- KEYS[2]  peer_key   usher:{nodes}:<id> or usher:{runners}:<id>  hash: what it says of itself
-- ARGV[1]     id           text
-- ARGV[2]     lifetime_ms  integer: after how long it counts as gone unless it says so again, ms; 0: it ends now
-- ARGV[3]     uptime_ms    integer: for how long it has been there, ms
-- ARGV[4...]  fields       pairs: fields of the hash, each followed by its value; at least one
--
-- Returns 'noted'

-- include: time

local peers_key, peer_key = unpack(KEYS)
local id, lifetime_ms, uptime_ms = unpack(ARGV, 1, 3)
local fields = {unpack(ARGV, 4)}

local at_ms = now_ms()
-- A few at a time: the others go with the next beats.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', peers_key, '-inf', at_ms, 'LIMIT', 0, 100)) do
  redis.call('ZREM', peers_key, gone)
end
if lifetime_ms == '0' then
  redis.call('ZREM', peers_key, id)
  redis.call('DEL', peer_key)
  return 'noted'
end
-- Nobody's word lasts for longer than ten minutes: it was said before the clock was set back. Who lives says it again.
for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', peers_key, at_ms + 660000, '+inf', 'LIMIT', 0, 100)) do
  redis.call('ZREM', peers_key, ahead)
end
redis.call('ZADD', peers_key, at_ms + lifetime_ms, id)
redis.call('HSET', peer_key, 'id', id, 'started_at', at_ms - uptime_ms, 'seen_at', at_ms, unpack(fields))
redis.call('PEXPIRE', peer_key, lifetime_ms)
return 'noted'
