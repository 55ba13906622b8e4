-- Stops the bot that holds a room. One that no runner has claimed ends at once; any other is told to leave, by the
-- answer to its lease if by nothing else, and ends as completed whatever happens to it. Repeating it changes nothing.
-- docs/architecture.md, "A meeting's state": "stop asked" and "stopped before it was in the room".
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
-- KEYS[10] usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[11] usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did; absent if it has no key
-- ARGV[1]  bot_id
-- ARGV[2]  meeting_id
-- ARGV[3]  how long the hash of a bot that has ended is kept, ms
-- ARGV[4]  length at which the event stream is trimmed
-- ARGV[5]  who asked, for the event
-- ARGV[6]  time to live of what the request did, ms
--
-- Returns {1, traceparent or ''}  ended at once
--         {2, traceparent or ''}  told to leave
--         {3, traceparent or ''}  was stopping already
--         {0}                     the room is not held by this bot (any more)

-- include: time
-- include: events
-- include: bots

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'status', 'bot_status')
local bot = redis.call('HMGET', KEYS[2], 'runner', 'ended_at', 'entry', 'traceparent')
if meeting[1] ~= ARGV[1] or bot[2] or redis.call('GET', KEYS[4]) ~= ARGV[2] then return {0} end
local trace = bot[4] or ''
local place = ' ' .. ARGV[1] .. ' ' .. ARGV[2]
-- One that no runner has must end here, even if an earlier stop was cut short by a command that failed.
if meeting[2] == 'STOPPING' and bot[1] then
  if KEYS[11] then redis.call('SET', KEYS[11], '3' .. place, 'PX', ARGV[6]) end
  return {3, trace}
end

local at_ms = now_ms()
record_event(KEYS[8], ARGV[4], at_ms, 'stopping', ARGV[2], ARGV[1], (meeting[2] or '') .. '/' .. (meeting[3] or ''),
  'STOPPING/stopping', ARGV[5], bot[4])
redis.call('HSET', KEYS[1], 'status', 'STOPPING', 'bot_status', 'stopping', 'updated_at', at_ms)
redis.call('HSET', KEYS[2], 'desired', 'leave', 'stop_asked_at', at_ms)
redis.call('DEL', KEYS[3])
if bot[1] then
  if KEYS[11] then redis.call('SET', KEYS[11], '2' .. place, 'PX', ARGV[6]) end
  return {2, trace}
end
if bot[3] then redis.call('XDEL', KEYS[10], bot[3]) end
local keys = {meeting = KEYS[1], bot = KEYS[2], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5], leases = KEYS[6],
  analyzing = KEYS[7], events = KEYS[8], ended = KEYS[9]}
end_bot(keys, ARGV[1], ARGV[2], at_ms, ARGV[3], ARGV[4], 'completed', 'stopped', 'requested')
if KEYS[11] then redis.call('SET', KEYS[11], '1' .. place, 'PX', ARGV[6]) end
return {1, trace}
