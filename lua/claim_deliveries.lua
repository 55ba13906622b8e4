-- Takes events that are due for a webhook, each with a lease: until it ends, no other node takes them.
--
-- flags: allow-oom
--
-- KEYS[1]  pending_key  usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- KEYS[2]  webhook_key  usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[3]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[4]  history_key  usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- ARGV[1]  member        text: `<workspace_id> <webhook_id>`
-- ARGV[2]  lease_ms      integer: the lease, ms
-- ARGV[3]  most          integer: how many are wanted
-- ARGV[4]  most_failing  integer: how many are wanted of a webhook that fails
-- ARGV[5]  turn_ms       integer: how long the other webhooks come first, ms
--
-- Returns {'claimed', webhook: hash, events: array}  each event as {event_id, end of the lease ms, tries, body}
--         {'not_enabled'}                            there is no such webhook, or it is disabled

-- include: time
-- include: deliveries

local pending_key, webhook_key, due_key, history_key = unpack(KEYS)
local member, lease_ms, most, most_failing, turn_ms = unpack(ARGV)

local webhook = redis.call('HMGET', webhook_key, 'enabled', 'failing_since')
if webhook[1] ~= '1' then
  redis.call('ZREM', pending_key, member)
  return {'not_enabled'}
end
local at_ms = now_ms()
local count = tonumber(most)
if webhook[2] then count = math.min(count, tonumber(most_failing)) end
local ends = string.format('%d', at_ms + tonumber(lease_ms))
local due = count > 0 and redis.call('ZRANGEBYSCORE', due_key, '-inf', at_ms, 'LIMIT', 0, count) or {}
local events = {}
for _, id in ipairs(due) do
  local event = redis.call('HMGET', history_key, id, id .. ' tries')
  if event[1] then
    redis.call('ZADD', due_key, ends, id)
    events[#events + 1] = {id, ends, event[2] or '0', event[1]}
  else
    -- Another hand took its body.
    redis.call('ZREM', due_key, id)
  end
end
local keys = {pending = pending_key, due = due_key}
note_next(keys, member, at_ms + tonumber(turn_ms))
return {'claimed', redis.call('HGETALL', webhook_key), events}
