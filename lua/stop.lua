-- Stops the bot that holds a room. One that no runner has claimed ends at once; any other is told to leave, by the
-- answer to its lease if by nothing else, and ends as completed whatever happens to it. Repeating it changes nothing.
-- docs/architecture.md, "A meeting's state": "stop asked" and "stopped before it was in the room".
--
-- flags: allow-oom
--
-- KEYS[1...14]  those of includes/life.lua
-- KEYS[15]  dispatch_key  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[16]  request_key?  usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did
-- ARGV[1]  bot_id      text
-- ARGV[2]  meeting_id  text
-- ARGV[3]  keep_ms     integer: how long the hash of a bot that has ended is kept, ms
-- ARGV[4]  max_events  integer: length at which the event stream is trimmed
-- ARGV[5]  why         text: who asked, for the event
-- ARGV[6]  request_ms  integer: time to live of what the request did, ms
--
-- Returns {'ended', traceparent: text?}        (change): at once
--         {'leaving', traceparent: text?}      (change): told to leave
--         {'was_leaving', traceparent: text?}  (change): was stopping already
--         {'stale'}                            the bot is not the meeting's current one, has ended, or holds no room

-- include: life
-- include: time
-- include: feed
-- include: events
-- include: bots

local dispatch_key, request_key = unpack(KEYS, 15)
local bot_id, meeting_id, keep_ms, max_events, why, request_ms = unpack(ARGV)

local meeting = redis.call('HMGET', keys.meeting, 'bot_id', 'status', 'bot_status')
local bot = redis.call('HMGET', keys.bot, 'runner', 'ended_at', 'entry', 'traceparent')
if meeting[1] ~= bot_id or bot[2] or redis.call('GET', keys.room) ~= meeting_id then return {'stale'} end
local trace = bot[4] or ''
local place = ' ' .. bot_id .. ' ' .. meeting_id
-- One that no runner has must end here, even if an earlier stop was cut short by a command that failed.
if meeting[2] == 'STOPPING' and bot[1] then
  if request_key then redis.call('SET', request_key, '3' .. place, 'PX', request_ms) end
  return {'was_leaving', trace}
end

if not bot[1] then
  check_types(keys)
  redis.call('XLEN', dispatch_key)
end
local at_ms = now_ms()
local at = string.format('%d', at_ms)
record_change(keys, max_events, at_ms, 'stopping', meeting_id, bot_id,
  (meeting[2] or '') .. '/' .. (meeting[3] or ''), 'STOPPING/stopping', why, bot[4], {updated_at = at})
redis.call('HSET', keys.meeting, 'status', 'STOPPING', 'bot_status', 'stopping', 'updated_at', at)
redis.call('HSET', keys.bot, 'desired', 'leave', 'stop_asked_at', at_ms)
if bot[1] then
  redis.call('DEL', keys.inflight)
  if request_key then redis.call('SET', request_key, '2' .. place, 'PX', request_ms) end
  return {'leaving', trace}
end
end_bot(keys, bot_id, meeting_id, at_ms, keep_ms, max_events, 'completed', 'stopped', 'requested', {})
if bot[3] then redis.call('XDEL', dispatch_key, bot[3]) end
if request_key then redis.call('SET', request_key, '1' .. place, 'PX', request_ms) end
return {'ended', trace}
