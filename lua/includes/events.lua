-- Appends a change of a meeting to the partition's event stream. `keys` has the members events (stream) and meeting
-- (hash); `from` and `to` are pairs of status and bot_status, as "INITIAL/requested"; `why` says who or what caused it;
-- `traceparent` is that of the bot's dispatch, if there is one.
--
-- The record's field `events` names its own entries of the stream, which has all of the partition's, by their ids, each
-- with a blank behind it: about the last hundred of them.
local function record_event(keys, max_length, at_ms, what, meeting_id, bot_id, from, to, why, traceparent)
  local entry = redis.call('XADD', keys.events, 'MAXLEN', '~', max_length, '*', 'what', what, 'meeting_id', meeting_id,
    'bot_id', bot_id, 'from', from, 'to', to, 'why', why, 'at', at_ms,
    'trace_id', string.sub(traceparent or '', 4, 35))
  local own = redis.call('HGET', keys.meeting, 'events') or ''
  if #own > 1600 then own = string.match(own, ' (.*)', #own - 1500) or '' end
  redis.call('HSET', keys.meeting, 'events', own .. entry .. ' ')
end

-- Records what webhooks are told of: in the partition's event stream and, if the workspace has webhooks or the operator
-- an endpoint, in its partition's outbox, with what an event tells of the meeting, as it is after this change. `keys`
-- has the members events, outbox (streams), meeting, operators (hashes) and webhooks (zset). `changed` has the fields
-- of the meeting that the caller is about to write, '' for those that it removes. What can fail comes first: see bots.
local function record_told(keys, max_length, at_ms, what, meeting_id, bot_id, from, to, why, traceparent, changed)
  local at = string.format('%d', at_ms)
  record_event(keys, max_length, at, what, meeting_id, bot_id, from, to, why, traceparent)
  if redis.call('EXISTS', keys.webhooks, keys.operators) == 0 then return end
  local names = {'workspace_id', 'number', 'platform', 'native_meeting_id', 'meeting_url', 'created_by', 'created_at',
    'updated_at', 'dispatched_at', 'start_time', 'end_time', 'title', 'bot_name', 'language', 'bot_container_id',
    'completion_reason', 'failure_stage', 'scheduled_at', 'auto_join', 'auto_join_error', 'missed_at', 'task',
    'transcribe_enabled', 'recording_enabled', 'waiting_room_timeout_ms', 'no_one_joined_timeout_ms',
    'everyone_left_timeout_ms'}
  -- Only a bot that has ended leaves these.
  if string.find(to, '/completed$') or string.find(to, '/failed$') then
    for _, name in ipairs({'exit_code', 'exit_signal', 'error_details'}) do names[#names + 1] = name end
  end
  local values = redis.call('HMGET', keys.meeting, 'changes', unpack(names))
  -- The number of the change, among those of this meeting that are told to webhooks.
  local sequence = string.format('%.0f', (tonumber(values[1] or '') or 0) + 1)
  local fields = {'meeting_id', meeting_id, 'bot_id', bot_id, 'what', what, 'from', from, 'to', to, 'why', why, 'at',
    at, 'traceparent', traceparent or '', 'sequence', sequence}
  for index, name in ipairs(names) do
    local value = changed and changed[name] or values[index + 1]
    if value and value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  redis.call('XADD', keys.outbox, '*', unpack(fields))
  redis.call('HSET', keys.meeting, 'changes', sequence)
end

-- The same of a change of a meeting's status, of which its viewers and those of all meetings of its workspace are told
-- too. `keys` has the members feed and feeds (streams) besides.
local function record_change(keys, max_length, at_ms, what, meeting_id, bot_id, from, to, why, traceparent, changed)
  record_told(keys, max_length, at_ms, what, meeting_id, bot_id, from, to, why, traceparent, changed)
  tell_status(keys, meeting_id, to, string.format('%d', at_ms))
end

-- The same of a time that a meeting without a bot got.
local function record_time(keys, max_length, at_ms, meeting_id, why)
  record_told(keys, max_length, at_ms, 'scheduled', meeting_id, '', 'INITIAL/', 'INITIAL/', why)
end
