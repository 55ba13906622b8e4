-- Takes in a bot's report of its status, if it comes from the meeting's current bot and is the next step along
-- docs/architecture.md, "A meeting's state"; anything else changes nothing. The bot's secret has been checked by the
-- caller.
--
-- flags: allow-oom
--
-- KEYS[1...14]  those of includes/life.lua
-- KEYS[15]  held_key  usher:{pX}:ws:<workspace_id>:held:<room>  string: the meeting of the room that a bot was in last
-- ARGV[1]     bot_id      text
-- ARGV[2]     meeting_id  text
-- ARGV[3]     step        text: the status: joining, awaiting_admission, needs_help, active, completed or failed
-- ARGV[4]     reason      text?: completion_reason
-- ARGV[5]     stage       text?: failure_stage
-- ARGV[6]     keep_ms     integer: how long the hash of a bot that has ended is kept, ms
-- ARGV[7]     max_events  integer: length at which the event stream is trimmed
-- ARGV[8...]  fields      pairs: fields for the meeting's record if the report is its last, each followed by its value:
--                         exit_code, error_details, bot_output
--
-- Returns {'accepted', status: text, bot_status: text, age_ms: integer?}  (change): with the time since its dispatch if
--                                                                         it is in the room now
--         {'known', status: text, bot_status: text}  (change): told before, which may still not be on a replica;
--                                                    nothing was changed
--         {'illegal', from: text, to: text}          not a step that is allowed from here
--         {'stale'}                                  the bot is not the meeting's current one, or has ended

-- include: life
-- include: time
-- include: feed
-- include: events
-- include: bots
-- include: sessions

local held_key = unpack(KEYS, 15)
local bot_id, meeting_id, step, reason, stage, keep_ms, max_events = unpack(ARGV, 1, 7)
local fields = {unpack(ARGV, 8)}

local steps = {
  requested = {joining = true, failed = true},
  joining = {awaiting_admission = true, active = true, failed = true},
  awaiting_admission = {active = true, needs_help = true, failed = true},
  needs_help = {active = true, failed = true},
  active = {completed = true, failed = true},
  stopping = {completed = true, failed = true},
}

local meeting = redis.call('HMGET', keys.meeting, 'bot_id', 'status', 'bot_status', 'dispatched_at')
if meeting[1] ~= bot_id then return {'stale'} end
local from = meeting[3] or ''
local bot = redis.call('HMGET', keys.bot, 'ended_at', 'reported', 'traceparent')
if bot[2] == step then return {'known', meeting[2] or '', from} end
if bot[1] then return {'stale'} end
if not (steps[from] and steps[from][step]) then return {'illegal', from, step} end

local at_ms = now_ms()
if step == 'completed' or step == 'failed' then
  local status, bot_status = end_bot(keys, bot_id, meeting_id, at_ms, keep_ms, max_events, step, reason,
    stage ~= '' and stage or from, fields)
  redis.call('HSET', keys.bot, 'reported', step)
  return {'accepted', status, bot_status}
end
local status = step == 'active' and 'LIVE' or 'INITIAL'
local at = string.format('%d', at_ms)
record_change(keys, max_events, at_ms, step, meeting_id, bot_id, (meeting[2] or '') .. '/' .. from,
  status .. '/' .. step, 'bot', bot[3], {updated_at = at, start_time = status == 'LIVE' and at or nil})
redis.call('HSET', keys.bot, 'reported', step)
if status == 'LIVE' then
  redis.call('SET', held_key, meeting_id)
  redis.call('HSET', keys.bot, 'active_at', at)
  redis.call('HSET', keys.meeting, 'start_time', at)
  begin_session(keys.meeting, bot_id, at_ms)
  redis.call('DEL', keys.inflight)
end
redis.call('HSET', keys.meeting, 'status', status, 'bot_status', step, 'updated_at', at)
if status == 'LIVE' then return {'accepted', status, step, math.max(0, at_ms - (tonumber(meeting[4]) or at_ms))} end
return {'accepted', status, step}
