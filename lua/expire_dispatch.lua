-- Ends a dispatch that no runner claimed while its in-flight key lived: no runner may claim it any more, so the room
-- can be given out again. docs/architecture.md, "A meeting's state": "failed before it was in the room". Repeating it
-- changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1...14]  those of includes/life.lua
-- KEYS[15]  dispatch_key  usher:{pX}:dispatch  stream: dispatches to be claimed
-- ARGV[1]  bot_id      text
-- ARGV[2]  meeting_id  text
-- ARGV[3]  keep_ms     integer: how long the hash of a bot that has ended is kept, ms
-- ARGV[4]  max_events  integer: length at which the event stream is trimmed
--
-- Returns 'ended'
--         'in_flight'       the dispatch is still in flight, or another hand wrote that the bot is in the room
--         'claimed_before'  a runner has claimed it
--         'stale'           the bot is not the meeting's current one

-- include: life
-- include: time
-- include: feed
-- include: events
-- include: bots

local dispatch_key = unpack(KEYS, 15)
local bot_id, meeting_id, keep_ms, max_events = unpack(ARGV)

local meeting = redis.call('HMGET', keys.meeting, 'bot_id', 'status', 'bot_status')
if meeting[1] ~= bot_id then return 'stale' end
local bot = redis.call('HMGET', keys.bot, 'runner', 'entry')
if bot[1] then return 'claimed_before' end
if redis.call('EXISTS', keys.inflight) == 1 or meeting[2] == 'LIVE' or meeting[2] == 'STOPPING' then
  return 'in_flight'
end

if meeting[2] == 'INITIAL' and meeting[3] == 'requested' then
  end_bot(keys, bot_id, meeting_id, now_ms(), keep_ms, max_events, 'failed', 'dispatch_expired', 'requested', {})
else
  -- Another hand wrote this status: the room is freed all the same, and the record left alone.
  free_bot(keys, bot_id, meeting_id, now_ms(), keep_ms)
end
-- By the entry it is found again if a command before this one has failed.
if bot[2] then redis.call('XDEL', dispatch_key, bot[2]) end
return 'ended'
