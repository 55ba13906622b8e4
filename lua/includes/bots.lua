-- What the scripts of a bot's life share. `keys` are those of life.lua.
--
-- Redis takes nothing back when a command fails, as on a key that another hand gave another type. So those that can
-- fail come first, and leave nothing that counts: repeated once the key is mended, the whole is done.

-- Fails where a bot's end would, of which nobody is to be told again and again until the key is mended.
local function check_types(keys)
  redis.call('ZCARD', keys.bots)
  redis.call('ZCARD', keys.leases)
  redis.call('ZCARD', keys.analyzing)
  redis.call('ZCARD', keys.ended)
  redis.call('GET', keys.inflight)
  redis.call('GET', keys.room)
end

-- Ends a bot's own record: its place in the limit, its lease and its hash, which is kept for a while, so that late
-- reports and operators find out what became of it. Repeating it changes nothing, and makes no record that is gone.
local function retire_bot(keys, bot_id, at_ms, keep_ms)
  redis.call('ZREM', keys.bots, bot_id)
  redis.call('ZREM', keys.leases, bot_id)
  if redis.call('EXISTS', keys.bot) == 1 and redis.call('HEXISTS', keys.bot, 'ended_at') == 0 then
    redis.call('HSET', keys.bot, 'desired', 'none', 'ended_at', at_ms)
    redis.call('PEXPIRE', keys.bot, keep_ms)
  end
end

-- Frees all that a bot holds: also its in-flight key and, last, its room.
local function free_bot(keys, bot_id, meeting_id, at_ms, keep_ms)
  local in_flight, holder = redis.call('GET', keys.inflight), redis.call('GET', keys.room)
  retire_bot(keys, bot_id, at_ms, keep_ms)
  if in_flight == bot_id then redis.call('DEL', keys.inflight) end
  if holder == meeting_id then redis.call('DEL', keys.room) end
end

-- Ends a bot and moves its meeting along docs/architecture.md, "A meeting's state". `outcome` is 'completed' or
-- 'failed'; a bot that was told to stop ends as completed whatever happened to it, and only such a one was stopped.
-- `stage` is the bot_status that it failed in; `fields` are the record's of its end, each followed by its value:
-- exit_code, exit_signal, error_details, bot_output. Returns the new status and bot_status.
local function end_bot(keys, bot_id, meeting_id, at_ms, keep_ms, max_events, outcome, reason, stage, fields)
  check_types(keys)
  local meeting = redis.call('HMGET', keys.meeting, 'status', 'bot_status', 'start_time')
  local bot = redis.call('HMGET', keys.bot, 'active_at', 'traceparent', 'ending')
  local was_in_room = bot[1]
  local is_stopping = meeting[1] == 'STOPPING'
  local status, bot_status
  if is_stopping or outcome == 'completed' then
    bot_status = 'completed'
    status = was_in_room and 'ANALYZING' or 'OFFLINE'
  else
    bot_status = 'failed'
    status = was_in_room and 'OFFLINE' or 'INITIAL'
  end
  if is_stopping then
    reason = 'stopped'
  elseif bot[3] then
    -- Whoever ended it knows why; the bot itself only that it was told to leave.
    reason = bot[3]
  elseif reason == 'stopped' then
    reason = 'left_unasked'
  elseif bot_status == 'failed' and reason == '' then
    -- A record always says why there is no bot.
    reason = 'no_reason_given'
  end
  local changed = {completion_reason = reason, failure_stage = '', updated_at = string.format('%d', at_ms),
    exit_code = '', exit_signal = '', error_details = ''}
  for index = 1, #fields, 2 do changed[fields[index]] = fields[index + 1] end
  if bot_status == 'failed' then
    -- To the wire, a bot that asks for help is one that waits to be admitted.
    changed.failure_stage = stage == 'needs_help' and 'awaiting_admission' or stage
  end
  if was_in_room then changed.end_time = changed.updated_at end
  record_change(keys, max_events, at_ms, bot_status, meeting_id, bot_id,
    (meeting[1] or '') .. '/' .. (meeting[2] or ''), status .. '/' .. bot_status, reason, bot[2], changed)
  -- There may be a transcript to collect names from, however the bot ended.
  if was_in_room then redis.call('ZADD', keys.analyzing, at_ms, meeting_id) end
  redis.call('ZADD', keys.ended, at_ms, meeting_id)
  free_bot(keys, bot_id, meeting_id, at_ms, keep_ms)

  -- What an earlier bot of the meeting left behind says nothing of this one.
  redis.call('HDEL', keys.meeting, 'exit_code', 'exit_signal', 'error_details', 'bot_output', 'completion_reason',
    'failure_stage')
  redis.call('HSET', keys.meeting, 'status', status, 'bot_status', bot_status, 'updated_at', changed.updated_at)
  if #fields > 0 then redis.call('HSET', keys.meeting, unpack(fields)) end
  if reason ~= '' then redis.call('HSET', keys.meeting, 'completion_reason', reason) end
  if changed.failure_stage ~= '' then redis.call('HSET', keys.meeting, 'failure_stage', changed.failure_stage) end
  if was_in_room then
    redis.call('HSET', keys.meeting, 'end_time', changed.end_time)
    local start_ms = tonumber(meeting[3])
    if start_ms then redis.call('HSET', keys.meeting, 'duration', math.max(0, at_ms - start_ms)) end
  end
  return status, bot_status
end
