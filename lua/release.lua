-- A runner hands a claimed bot back that it has not started: another runner may claim it. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key   usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  bot_key       usher:{pX}:bot:<bot_id>          hash: the bot
-- KEYS[3]  leases_key    usher:{pX}:leases                zset: lease expiry (ms) -> bot_id
-- KEYS[4]  dispatch_key  usher:{pX}:dispatch              stream: dispatches to be claimed
-- ARGV[1]  bot_id  text
-- ARGV[2]  runner  text: id of the runner
--
-- Returns 'released'   handed back
--         'not_yours'  the bot is not this runner's (any more)
--         'unwanted'   it is no longer wanted

-- include: entry

local meeting_key, bot_key, leases_key, dispatch_key = unpack(KEYS)
local bot_id, runner = unpack(ARGV)

local bot = redis.call('HMGET', bot_key, 'runner', 'desired', 'ended_at', 'meeting_id', 'workspace_id', 'epoch', 'room',
  'dispatched_at', 'traceparent')
if bot[1] ~= runner or bot[3] or redis.call('HGET', meeting_key, 'bot_id') ~= bot_id then return 'not_yours' end
if bot[2] ~= 'run' then return 'unwanted' end
-- What can fail comes first, and an entry too many does no harm: the lease ends what is not done.
local entry = add_entry(dispatch_key, bot[4], bot[5], bot_id, bot[6], bot[7], bot[8], bot[9] or '')
redis.call('ZREM', leases_key, bot_id)
redis.call('HDEL', bot_key, 'runner', 'claimed_at', 'lease_ms', 'secret', 'container', 'stream')
redis.call('HDEL', meeting_key, 'bot_container_id')
redis.call('HSET', bot_key, 'entry', entry)
return 'released'
