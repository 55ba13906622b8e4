-- Accepts the dispatch of a bot to a meeting, as the re-invite endpoint asks for it: everything at once, or nothing.
-- docs/architecture.md, "A meeting's state": "dispatch accepted" and "restarted". The lock is given back whatever the
-- result, unless it is another's. A repeated call finds the in-flight key and changes nothing.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>:lock             string: the token of the request that holds the lock
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[6]  usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]  usher:{pX}:events                             stream: what happened
-- KEYS[9]  usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did; absent if it has no key
-- ARGV[1]  the caller's lock token
-- ARGV[2]  the status that the caller saw: INITIAL, or OFFLINE for a restart
-- ARGV[3]  meeting_id
-- ARGV[4]  workspace_id
-- ARGV[5]  room
-- ARGV[6]  bot_id
-- ARGV[7]  time to live of the in-flight key, ms
-- ARGV[8]  length at which the event stream is trimmed
-- ARGV[9]  who asked, for the event
-- ARGV[10] traceparent of what follows (W3C Trace Context)
-- ARGV[11] tracestate, or ''
--
-- Returns {1, dispatched_at ms, epoch}  accepted
--         {2, what}                     done before, by a request with the same key: bot_id, dispatched_at ms, epoch
--                                       and the status that was seen, with spaces between
--         {0}                           the lock is not the caller's (any more)
--         {-1, meeting_id or ''}        a dispatch to the room is in flight; the meeting that holds the room
--         {-2, status or ''}            the status is no longer the one that was seen
--         {-3, meeting_id}              a bot of this meeting holds the room, and no dispatch is in flight

-- include: time
-- include: events
-- include: send_bot

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
redis.call('DEL', KEYS[1])
local earlier = KEYS[9] and redis.call('GET', KEYS[9])
if earlier then return {2, earlier} end

local holder = redis.call('GET', KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then return {-1, holder or ''} end
local meeting = redis.call('HMGET', KEYS[5], 'status', 'bot_status')
if meeting[1] ~= ARGV[2] then return {-2, meeting[1] or ''} end
if holder then return {-3, holder} end

local at_ms = now_ms()
local is_restart = ARGV[2] == 'OFFLINE'
local keys = {inflight = KEYS[2], room = KEYS[3], bots = KEYS[4], meeting = KEYS[5], bot = KEYS[6], dispatch = KEYS[7],
  events = KEYS[8]}
local epoch = send_bot(keys, ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], at_ms, 1, {max_length = ARGV[8],
  what = is_restart and 'restarted' or 'dispatched', from = ARGV[2] .. '/' .. (meeting[2] or ''), why = ARGV[9]},
  {parent = ARGV[10], state = ARGV[11]})
if is_restart then redis.call('HDEL', KEYS[5], 'start_time', 'end_time', 'duration', 'flag') end
if KEYS[9] then
  redis.call('SET', KEYS[9], string.format('%s %d %d %s', ARGV[6], at_ms, epoch, ARGV[2]), 'PX', ARGV[7])
end
return {1, at_ms, epoch}
