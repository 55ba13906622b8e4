-- Ends a dispatch that no runner claimed while its in-flight key lived: no runner may claim it any more, so the room
-- can be given out again. docs/architecture.md, "A meeting's state": "failed before it was in the room". Repeating it
-- changes nothing.
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
-- ARGV[1]  bot_id
-- ARGV[2]  meeting_id
-- ARGV[3]  how long the hash of a bot that has ended is kept, ms
-- ARGV[4]  length at which the event stream is trimmed
--
-- Returns 1 ended, 0 the dispatch is still in flight, or another hand wrote that the bot is in the room, -1 a runner
-- has claimed it, -2 the bot is not the meeting's current one

-- include: time
-- include: events
-- include: bots

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'status', 'bot_status')
if meeting[1] ~= ARGV[1] then return -2 end
local bot = redis.call('HMGET', KEYS[2], 'runner', 'entry')
if bot[1] then return -1 end
if redis.call('EXISTS', KEYS[3]) == 1 or meeting[2] == 'LIVE' or meeting[2] == 'STOPPING' then return 0 end

if bot[2] then redis.call('XDEL', KEYS[10], bot[2]) end
local keys = {meeting = KEYS[1], bot = KEYS[2], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5], leases = KEYS[6],
  analyzing = KEYS[7], events = KEYS[8], ended = KEYS[9]}
if meeting[2] == 'INITIAL' and meeting[3] == 'requested' then
  end_bot(keys, ARGV[1], ARGV[2], now_ms(), ARGV[3], ARGV[4], 'failed', 'dispatch_expired', 'requested')
else
  -- Another hand wrote this status: the room is freed all the same, and the record left alone.
  free_bot(keys, ARGV[1], ARGV[2], now_ms(), ARGV[3])
end
return 1
