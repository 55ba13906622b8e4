-- Makes a webhook of a workspace.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>               hash: the workspace; `first_webhook`, see webhooks
-- KEYS[2]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks      zset: when it was made (ms) -> webhook_id
-- KEYS[3]  webhook_key    usher:{pX}:ws:<workspace_id>:webhook:<id>  hash: the webhook
-- ARGV[1]     webhook_id  text
-- ARGV[2]     most        integer: how many a workspace may have
-- ARGV[3]     as_first    flag: whether it is to be the first, and made only if there is none
-- ARGV[4...]  fields      pairs: its fields, each followed by its value
--
-- Returns 'created'            (change)
--         'unknown_workspace'  there is no such workspace
--         'too_many'           the workspace has as many as it may have, or a first one

-- include: time
-- include: webhooks

local workspace_key, webhooks_key, webhook_key = unpack(KEYS)
local webhook_id, most, as_first = unpack(ARGV, 1, 3)
local fields = {unpack(ARGV, 4)}

if redis.call('EXISTS', workspace_key) == 0 then return 'unknown_workspace' end
local count = redis.call('ZCARD', webhooks_key)
local keys = {workspace = workspace_key, webhooks = webhooks_key}
if count >= tonumber(most) or as_first == '1' and first_webhook(keys) then return 'too_many' end
local at = string.format('%d', now_ms())
redis.call('HSET', webhook_key, 'id', webhook_id, 'created_at', at, 'updated_at', at, unpack(fields))
-- After all that were made before it, also in the same millisecond: the oldest may be the first.
local newest = tonumber(redis.call('ZRANGE', webhooks_key, -1, -1, 'WITHSCORES')[2] or '0')
redis.call('ZADD', webhooks_key, string.format('%.0f', math.max(tonumber(at), newest + 1)), webhook_id)
if as_first == '1' then redis.call('HSET', workspace_key, 'first_webhook', webhook_id) end
return 'created'
