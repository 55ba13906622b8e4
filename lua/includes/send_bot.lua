-- Puts a bot on its way: the room and the in-flight key become its own, the limit counts it, and an entry in the
-- stream waits for a runner. `keys` has the members inflight, room, bots, meeting, bot, dispatch, events, webhooks,
-- outbox, operators; `event` has max_length, what, from, why and maybe changed (see record_change); `trace` has parent
-- and state, the W3C fields traceparent and tracestate, or '' for them.
--
-- Redis takes nothing back when a command fails, as on a key that another hand gave another type. So those that can
-- fail come first, and leave nothing that counts: an entry without its in-flight key is void to every runner.
local function send_bot(keys, meeting_id, workspace_id, room, bot_id, ttl_ms, at_ms, attempts, event, trace)
  -- Of another type, it fails before anybody is told.
  redis.call('ZCARD', keys.bots)
  local epoch = redis.call('HINCRBY', keys.meeting, 'epoch', 1)
  -- As text, once: Redis writes every number that it is given with seventeen digits, which costs as much as a command.
  local at, epoch_text = string.format('%d', at_ms), string.format('%d', epoch)
  local entry = add_entry(keys.dispatch, meeting_id, workspace_id, bot_id, epoch_text, room, at, trace.parent)
  local changed = event.changed or {}
  changed.dispatched_at = at
  record_change(keys, event.max_length, at_ms, event.what, meeting_id, bot_id, event.from, 'INITIAL/requested',
    event.why, trace.parent, changed)
  redis.call('ZADD', keys.bots, at, bot_id)

  redis.call('SET', keys.inflight, bot_id, 'PX', ttl_ms)
  redis.call('SET', keys.room, meeting_id)
  redis.call('HSET', keys.meeting, 'status', 'INITIAL', 'bot_status', 'requested', 'bot_id', bot_id,
    'dispatched_at', at)
  redis.call('HSET', keys.bot, 'meeting_id', meeting_id, 'workspace_id', workspace_id, 'room', room, 'epoch',
    epoch_text, 'attempts', string.format('%d', attempts), 'desired', 'run', 'config_version', '0', 'dispatched_at', at,
    'entry', entry, 'traceparent', trace.parent)
  -- What is said in this session is kept, also if the clock was set back since an earlier transcript was deleted.
  local redacted_at = tonumber(redis.call('HGET', keys.meeting, 'redacted_at') or 0) or 0
  if redacted_at >= at_ms then redis.call('HSET', keys.meeting, 'redacted_at', string.format('%d', at_ms - 1)) end
  if trace.state ~= '' then redis.call('HSET', keys.bot, 'tracestate', trace.state) end
  return epoch
end
