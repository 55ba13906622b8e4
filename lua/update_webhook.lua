-- Changes a webhook. One that is enabled again goes on with what waits for it.
--
-- KEYS[1]  webhook_key  usher:{pX}:ws:<workspace_id>:webhook:<id>      hash: the webhook
-- KEYS[2]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due  zset: when it is due (ms) -> event_id
-- KEYS[3]  pending_key  usher:{pX}:deliveries                          zset: when something is due (ms) -> webhook
-- ARGV[1]     member      text: `<workspace_id> <webhook_id>`
-- ARGV[2]     enables     flag: whether it is enabled again
-- ARGV[3]     secret      text?: takes the place of the present one
-- ARGV[4]     overlap_ms  integer: how long the present one counts beside it, ms; 0: not at all
-- ARGV[5...]  fields      pairs: fields, each followed by its value
--
-- Returns 'changed'          (change)
--         'unknown_webhook'  there is no such webhook

-- include: time
-- include: deliveries

local webhook_key, due_key, pending_key = unpack(KEYS)
local member, enables, secret, overlap_ms = unpack(ARGV, 1, 4)
local fields = {unpack(ARGV, 5)}

if redis.call('EXISTS', webhook_key) == 0 then return 'unknown_webhook' end
local at_ms = now_ms()
redis.call('HSET', webhook_key, 'updated_at', string.format('%d', at_ms), unpack(fields))
if secret ~= '' then
  local present = redis.call('HMGET', webhook_key, 'secret', 'old_secrets')
  local old = ''
  if overlap_ms ~= '0' and present[1] then
    -- Also those before it: whoever asks again because the answer was lost does not shut out the secret in use.
    old = string.format('%.0f:%s', at_ms + tonumber(overlap_ms), present[1])
    local count = 1
    for earlier in string.gmatch(present[2] or '', '[^\n]+') do
      local ends = tonumber(string.match(earlier, '^(%d+):') or '')
      if count < 4 and ends and ends > at_ms then
        old = old .. '\n' .. earlier
        count = count + 1
      end
    end
  end
  redis.call('HSET', webhook_key, 'secret', secret, 'old_secrets', old)
end
if enables == '1' then
  redis.call('HDEL', webhook_key, 'failing_since', 'disabled_at', 'disabled_because')
  local keys = {pending = pending_key, due = due_key}
  note_next(keys, member, at_ms)
end
return 'changed'
