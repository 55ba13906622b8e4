-- Notes what came of an attempt to deliver an event, if it is still the caller's. A webhook that says that it is gone,
-- or that has failed for too long, is disabled.
--
-- flags: allow-oom
--
-- KEYS[1]  pending_key  usher:{pX}:deliveries                             zset: when something is due (ms) -> webhook
-- KEYS[2]  webhook_key  usher:{pX}:ws:<workspace_id>:webhook:<id>         hash: the webhook
-- KEYS[3]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due     zset: when it is due (ms) -> event_id
-- KEYS[4]  history_key  usher:{pX}:ws:<workspace_id>:webhook:<id>:events  hash: event_id -> body, and its attempts
-- KEYS[5]  done_key     usher:{pX}:ws:<workspace_id>:webhook:<id>:done    zset: when it ended (ms) -> event_id
-- ARGV[1]   member        text: `<workspace_id> <webhook_id>`
-- ARGV[2]   event_id      text
-- ARGV[3]   lease_end     text: end of the lease, ms
-- ARGV[4]   outcome       text: delivered, retry, failed or gone
-- ARGV[5]   pause_ms      integer: for retry: when the next attempt is due, ms from now
-- ARGV[6]   attempt       text: the attempt, one line
-- ARGV[7]   answer        text: what was kept of the answer
-- ARGV[8]   failing_ms    integer: for how long a webhook may fail before it is disabled, ms
-- ARGV[9]   most_history  integer: how many events the history has
-- ARGV[10]  keep_ms       integer: for how long, ms
--
-- Returns 'noted'
--         'disabled'   noted, and the webhook is disabled by it
--         'not_yours'  the lease is another's (any more): nothing is noted

-- include: time
-- include: deliveries

local pending_key, webhook_key, due_key, history_key, done_key = unpack(KEYS)
local member, event_id, lease_end, outcome, pause_ms, attempt, answer, failing_ms, most_history, keep_ms = unpack(ARGV)

local score = redis.call('ZSCORE', due_key, event_id)
if not score or tonumber(score) ~= tonumber(lease_end) then return 'not_yours' end
local at_ms = now_ms()
local at = string.format('%d', at_ms)
local webhook = redis.call('HMGET', webhook_key, 'enabled', 'failing_since')
local event = redis.call('HMGET', history_key, event_id .. ' tries', event_id .. ' attempts')
local is_due = outcome == 'retry'
if is_due then
  redis.call('ZADD', due_key, string.format('%.0f', at_ms + tonumber(pause_ms)), event_id)
else
  redis.call('ZADD', done_key, at, event_id)
end
redis.call('HSET', history_key, event_id .. ' tries', string.format('%.0f', (tonumber(event[1] or '') or 0) + 1),
  event_id .. ' attempts', string.sub((event[2] or '') .. attempt .. '\n', -4096), event_id .. ' answer', answer)
local is_disabled = false
if outcome == 'delivered' then
  redis.call('HDEL', webhook_key, 'failing_since')
elseif webhook[1] then
  local since = tonumber(webhook[2] or '')
  if not since or since > at_ms then
    since = at_ms
    redis.call('HSET', webhook_key, 'failing_since', at)
  end
  if webhook[1] == '1' and (outcome == 'gone' or at_ms - since >= tonumber(failing_ms)) then
    redis.call('HSET', webhook_key, 'enabled', '0', 'disabled_at', at, 'disabled_because',
      outcome == 'gone' and 'gone' or 'failing')
    is_disabled = true
  end
end
local keys = {pending = pending_key, due = due_key, history = history_key, done = done_key}
redis.call('PEXPIRE', history_key, keep_ms)
redis.call('PEXPIRE', done_key, keep_ms)
if is_disabled then
  redis.call('ZREM', pending_key, member)
else
  note_next(keys, member, at_ms, not is_due and event_id)
end
trim_history(keys, at_ms, tonumber(keep_ms), tonumber(most_history))
-- Last: where the slot is on its way to another server, a key that has gone empty may not be touched again.
if not is_due then redis.call('ZREM', due_key, event_id) end
if is_disabled then return 'disabled' end
return 'noted'
