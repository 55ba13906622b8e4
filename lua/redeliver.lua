-- Lets an event be delivered to a webhook once more, from the first attempt on.
--
-- KEYS[1]  pending_key  usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- KEYS[2]  webhook_key  usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[3]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[4]  history_key  usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- KEYS[5]  done_key     usher:{pX}:ws:<workspace_id>:webhook:<id>:done    zset: when it ended (ms) -> event_id
-- ARGV[1]  member    text: `<workspace_id> <webhook_id>`
-- ARGV[2]  event_id  text
-- ARGV[3]  keep_ms   integer: how long what nobody touches is kept, ms
--
-- Returns 'due'            (change)
--         'waiting'        it waits for its next attempt anyway
--         'unknown_event'  it is not in the history
--         'not_enabled'    there is no such webhook, or it is disabled

-- include: time

local pending_key, webhook_key, due_key, history_key, done_key = unpack(KEYS)
local member, event_id, keep_ms = unpack(ARGV)

if redis.call('HGET', webhook_key, 'enabled') ~= '1' then return 'not_enabled' end
if redis.call('ZSCORE', due_key, event_id) then return 'waiting' end
if redis.call('HEXISTS', history_key, event_id) == 0 then return 'unknown_event' end
local at = string.format('%d', now_ms())
redis.call('ZADD', pending_key, 'LT', at, member)
redis.call('HSET', history_key, event_id .. ' tries', '0')
redis.call('ZADD', due_key, at, event_id)
redis.call('ZREM', done_key, event_id)
redis.call('PEXPIRE', pending_key, keep_ms)
redis.call('PEXPIRE', due_key, keep_ms)
redis.call('PEXPIRE', history_key, keep_ms)
return 'due'
