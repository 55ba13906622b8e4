-- Takes in a bot's report of its status, if it comes from the meeting's current bot and is the next step along
-- docs/architecture.md, "A meeting's state"; anything else changes nothing. The bot's secret has been checked by the
-- caller.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[5]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[6]  usher:{pX}:leases                             zset: lease expiry (ms) -> bot_id
-- KEYS[7]  usher:{pX}:analyzing                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]  usher:{pX}:events                             stream: what happened
-- KEYS[9]  usher:{pX}:ended                              zset: end of the meeting (ms) -> meeting_id
-- KEYS[10] usher:{pX}:ws:<workspace_id>:held:<room>      string: the meeting of the room that a bot was in last
-- ARGV[1]  bot_id
-- ARGV[2]  meeting_id
-- ARGV[3]  the status: joining, awaiting_admission, needs_help, active, completed or failed
-- ARGV[4]  completion_reason, or ''
-- ARGV[5]  failure_stage, or ''
-- ARGV[6]  how long the hash of a bot that has ended is kept, ms
-- ARGV[7]  length at which the event stream is trimmed
-- ARGV[8...]  fields for the meeting's record if the report is its last, each followed by its value: exit_code,
--             error_details, bot_output
--
-- Returns {1, status, bot_status}         taken in
--         {1, 'LIVE', 'active', age ms}   the same of the one that it is in the room: with the time since its dispatch
--         {0, status, bot_status}         told before; nothing was changed
--         {-1, bot_status, status asked}  not a step that is allowed from here
--         {-2}                            the bot is not the meeting's current one, or has ended

-- include: time
-- include: events
-- include: bots
-- include: sessions

local steps = {
  requested = {joining = true, failed = true},
  joining = {awaiting_admission = true, active = true, failed = true},
  awaiting_admission = {active = true, needs_help = true, failed = true},
  needs_help = {active = true, failed = true},
  active = {completed = true, failed = true},
  stopping = {completed = true, failed = true},
}

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'status', 'bot_status', 'dispatched_at')
if meeting[1] ~= ARGV[1] then return {-2} end
local from = meeting[3] or ''
local bot = redis.call('HMGET', KEYS[2], 'ended_at', 'reported', 'traceparent')
if bot[2] == ARGV[3] then return {0, meeting[2] or '', from} end
if bot[1] then return {-2} end
if not (steps[from] and steps[from][ARGV[3]]) then return {-1, from, ARGV[3]} end

local at_ms = now_ms()
if ARGV[3] == 'completed' or ARGV[3] == 'failed' then
  local keys = {meeting = KEYS[1], bot = KEYS[2], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5], leases = KEYS[6],
    analyzing = KEYS[7], events = KEYS[8], ended = KEYS[9]}
  local status, bot_status = end_bot(keys, ARGV[1], ARGV[2], at_ms, ARGV[6], ARGV[7], ARGV[3], ARGV[4],
    ARGV[5] ~= '' and ARGV[5] or from)
  redis.call('HSET', KEYS[2], 'reported', ARGV[3])
  if #ARGV > 7 then redis.call('HSET', KEYS[1], unpack(ARGV, 8)) end
  return {1, status, bot_status}
end
local status = ARGV[3] == 'active' and 'LIVE' or 'INITIAL'
record_event(KEYS[8], ARGV[7], at_ms, ARGV[3], ARGV[2], ARGV[1], (meeting[2] or '') .. '/' .. from,
  status .. '/' .. ARGV[3], 'bot', bot[3])
redis.call('HSET', KEYS[2], 'reported', ARGV[3])
if status == 'LIVE' then
  redis.call('SET', KEYS[10], ARGV[2])
  redis.call('HSET', KEYS[2], 'active_at', at_ms)
  redis.call('HSET', KEYS[1], 'start_time', at_ms)
  begin_session(KEYS[1], ARGV[1], at_ms)
  redis.call('DEL', KEYS[3])
end
redis.call('HSET', KEYS[1], 'status', status, 'bot_status', ARGV[3], 'updated_at', at_ms)
if status == 'LIVE' then return {1, status, ARGV[3], math.max(0, at_ms - (tonumber(meeting[4]) or at_ms))} end
return {1, status, ARGV[3]}
