-- A node or a runner says that it is there. Whoever has said nothing for a while is taken off the list, and what it
-- said ends by itself. Repeating it changes nothing but the times.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{nodes} or usher:{runners}            zset: when it counts as gone (ms) -> id
-- KEYS[2]  usher:{nodes}:<id> or usher:{runners}:<id>  hash: what it says of itself
-- ARGV[1]  id
-- ARGV[2]  after how long it counts as gone unless it says so again, ms; 0: it ends now
-- ARGV[3]  for how long it has been there, ms
-- ARGV[4...]  fields of the hash, each followed by its value; at least one
--
-- Returns 1

-- include: time

local at_ms = now_ms()
-- A few at a time: the others go with the next beats.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', at_ms, 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], gone)
end
if ARGV[2] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('DEL', KEYS[2])
  return 1
end
-- Nobody's word lasts for longer than ten minutes: it was said before the clock was set back. Who lives says it again.
for _, ahead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], at_ms + 660000, '+inf', 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], ahead)
end
redis.call('ZADD', KEYS[1], at_ms + ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], 'id', ARGV[1], 'started_at', at_ms - ARGV[3], 'seen_at', at_ms, unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
