-- Removes a webhook, with what waits for it and its history.
--
-- flags: allow-oom
--
-- KEYS[1]  webhooks_key  usher:{pX}:ws:<workspace_id>:webhooks             zset: when it was made (ms) -> webhook_id
-- KEYS[2]  webhook_key   usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[3]  due_key       usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[4]  history_key   usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- KEYS[5]  done_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:done    zset: when it ended (ms) -> event_id
-- KEYS[6]  pending_key   usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- ARGV[1]  webhook_id  text
-- ARGV[2]  member      text: `<workspace_id> <webhook_id>`
--
-- Returns 1  removed (change)
--         0  unknown_webhook: there is no such webhook

local webhooks_key, webhook_key, due_key, history_key, done_key, pending_key = unpack(KEYS)
local webhook_id, member = unpack(ARGV)

if redis.call('ZREM', webhooks_key, webhook_id) == 0 then return 0 end
redis.call('ZREM', pending_key, member)
redis.call('UNLINK', webhook_key, due_key, history_key, done_key)
return 1
