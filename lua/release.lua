-- A runner hands a claimed bot back that it has not started: another runner may claim it. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  usher:{pX}:bot:<bot_id>          hash: the bot
-- KEYS[3]  usher:{pX}:leases                zset: lease expiry (ms) -> bot_id
-- KEYS[4]  usher:{pX}:dispatch              stream: dispatches to be claimed
-- ARGV[1]  bot_id
-- ARGV[2]  id of the runner
--
-- Returns 1 handed back, 0 the bot is not this runner's (any more), -1 it is no longer wanted

local bot = redis.call('HMGET', KEYS[2], 'runner', 'desired', 'ended_at', 'meeting_id', 'workspace_id', 'epoch', 'room',
  'dispatched_at', 'traceparent')
if bot[1] ~= ARGV[2] or bot[3] or redis.call('HGET', KEYS[1], 'bot_id') ~= ARGV[1] then return 0 end
if bot[2] ~= 'run' then return -1 end
-- What can fail comes first, and an entry too many does no harm: the lease ends what is not done.
local entry = redis.call('XADD', KEYS[4], '*', 'meeting_id', bot[4], 'workspace_id', bot[5], 'bot_id', ARGV[1],
  'epoch', bot[6], 'room', bot[7], 'dispatched_at', bot[8], 'traceparent', bot[9] or '')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HDEL', KEYS[2], 'runner', 'claimed_at', 'lease_ms', 'secret', 'container', 'stream')
redis.call('HDEL', KEYS[1], 'bot_container_id')
redis.call('HSET', KEYS[2], 'entry', entry)
return 1
