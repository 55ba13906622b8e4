-- Says for a time that the operator has an endpoint, which is to be told what happens in all workspaces of a partition,
-- and of what. Nodes that have it as a setting repeat this. Failures before it took an event last are over, also where
-- that was one of another partition.
--
-- flags: allow-oom
--
-- KEYS[1]  operator_key  usher:{pX}:operator  hash: the operator's endpoint
-- ARGV[1]  events   text: the types of events that it wants, with blanks between, or *
-- ARGV[2]  keep_ms  integer: for how long, ms
-- ARGV[3]  took_ms  integer?: how long ago it took an event, ms; none: that is not known
--
-- Returns 'kept'

-- include: time

local operator_key = unpack(KEYS)
local events, keep_ms, took_ms = unpack(ARGV)

redis.call('HSET', operator_key, 'enabled', '1', 'events', events)
local since = tonumber(redis.call('HGET', operator_key, 'failing_since') or '')
if since and took_ms ~= '' and since < now_ms() - tonumber(took_ms) then
  redis.call('HDEL', operator_key, 'failing_since')
end
redis.call('PEXPIRE', operator_key, keep_ms)
return 'kept'
