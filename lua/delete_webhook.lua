-- Removes a webhook, with what waits for it and its history.
--
-- flags: allow-oom
--
-- KEYS[1]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks             zset: when it was made (ms) -> webhook_id
-- KEYS[2]  webhook_key    usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[3]  due_key        usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[4]  history_key    usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- KEYS[5]  done_key       usher:{pX}:ws:<workspace_id>:webhook:<id>:done    zset: when it ended (ms) -> event_id
-- KEYS[6]  pending_key    usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- KEYS[7]  workspace_key  usher:{pX}:ws:<workspace_id>                      hash: the workspace
-- ARGV[1]  webhook_id  text
-- ARGV[2]  member      text: `<workspace_id> <webhook_id>`
-- ARGV[3]  as_first    flag: whether it is to go only if it is the first one
--
-- Returns 'removed'          (change)
--         'unknown_webhook'  there is no such webhook

-- include: webhooks

local webhooks_key, webhook_key, due_key, history_key, done_key, pending_key, workspace_key = unpack(KEYS)
local webhook_id, member, as_first = unpack(ARGV)

local keys = {workspace = workspace_key, webhooks = webhooks_key}
local is_first = first_webhook(keys) == webhook_id
if as_first == '1' and not is_first then return 'unknown_webhook' end
if not redis.call('ZSCORE', webhooks_key, webhook_id) then return 'unknown_webhook' end
redis.call('ZREM', pending_key, member)
if redis.call('ZCARD', webhooks_key) == 1 then
  redis.call('HDEL', workspace_key, 'first_webhook')
elseif as_first == '1' or is_first and redis.call('HEXISTS', workspace_key, 'first_webhook') == 1 then
  redis.call('HSET', workspace_key, 'first_webhook', 'none')
end
redis.call('UNLINK', webhook_key, due_key, history_key, done_key)
-- Last, so that what was cut short is done as a whole when it is asked for again.
redis.call('ZREM', webhooks_key, webhook_id)
return 'removed'
