-- Puts a bot on its way: the room and the in-flight key become its own, the limit counts it, and an entry in the
-- stream waits for a runner. `keys` has the members inflight, room, bots, meeting, bot, dispatch, events; `bot` has
-- meeting_id, workspace_id, room, id, attempts; `event` has what, from, why, max_length.
--
-- Redis takes nothing back when a command fails, as on a key that another hand gave another type. So those that can
-- fail come first, and leave nothing that counts: an entry without its in-flight key is void to every runner.
local function send_bot(keys, bot, event, at_ms, ttl_ms)
  local epoch = redis.call('HINCRBY', keys.meeting, 'epoch', 1)
  local entry = redis.call('XADD', keys.dispatch, '*', 'meeting_id', bot.meeting_id, 'workspace_id', bot.workspace_id,
    'bot_id', bot.id, 'epoch', epoch, 'room', bot.room, 'dispatched_at', at_ms)
  record_event(keys.events, event.max_length, at_ms, event.what, bot.meeting_id, bot.id, event.from,
    'INITIAL/requested', event.why)
  redis.call('ZADD', keys.bots, at_ms, bot.id)

  redis.call('SET', keys.inflight, bot.id, 'PX', ttl_ms)
  redis.call('SET', keys.room, bot.meeting_id)
  redis.call('HSET', keys.meeting, 'status', 'INITIAL', 'bot_status', 'requested', 'bot_id', bot.id,
    'dispatched_at', at_ms)
  redis.call('HSET', keys.bot, 'meeting_id', bot.meeting_id, 'workspace_id', bot.workspace_id, 'room', bot.room,
    'epoch', epoch, 'attempts', bot.attempts, 'desired', 'run', 'config_version', 0, 'dispatched_at', at_ms,
    'entry', entry)
  return epoch
end
