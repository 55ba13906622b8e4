-- Files an event for a webhook: from then on it is due. Repeating it changes nothing, for as long as the webhook's
-- history has the event. The operator's endpoint has a list of its own for each workspace: docs/webhooks.md, "The
-- operator's endpoint".
--
-- flags: allow-oom
--
-- KEYS[1]  webhook_key  usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[2]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[3]  history_key  usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- KEYS[4]  pending_key  usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- ARGV[1]  event_id      text
-- ARGV[2]  body          text: what is sent
-- ARGV[3]  member        text: `<workspace_id> <webhook_id>`
-- ARGV[4]  most_waiting  integer: how many events may wait for the webhook
-- ARGV[5]  keep_ms       integer: how long what nobody touches is kept, ms
--
-- Returns 'filed'
--         'known'        it was filed before
--         'not_enabled'  there is no such webhook, or it is disabled
--         'dropped'      too many wait: it is counted

-- include: time

local webhook_key, due_key, history_key, pending_key = unpack(KEYS)
local event_id, body, member, most_waiting, keep_ms = unpack(ARGV)

local webhook = redis.call('HMGET', webhook_key, 'enabled', 'dropped')
if webhook[1] ~= '1' then return 'not_enabled' end
if redis.call('HEXISTS', history_key, event_id) == 1 then return 'known' end
if redis.call('ZCARD', due_key) >= tonumber(most_waiting) then
  redis.call('HSET', webhook_key, 'dropped', string.format('%.0f', (tonumber(webhook[2] or '') or 0) + 1))
  return 'dropped'
end
local at = string.format('%d', now_ms())
redis.call('ZADD', pending_key, 'LT', at, member)
redis.call('HSET', history_key, event_id, body, event_id .. ' filed', at)
redis.call('ZADD', due_key, at, event_id)
redis.call('PEXPIRE', pending_key, keep_ms)
redis.call('PEXPIRE', due_key, keep_ms)
redis.call('PEXPIRE', history_key, keep_ms)
return 'filed'
