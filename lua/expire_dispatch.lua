-- Ends a dispatch that no runner claimed while its in-flight key lived: no runner may claim it any more, so the room
-- can be given out again. Section 4 of the design: "failed before it was in the room". Repeating it changes nothing.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[4]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[5]  usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[6]  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[7]  usher:{pX}:events                             stream: what happened
-- ARGV[1]  meeting_id
-- ARGV[2]  bot_id
-- ARGV[3]  length at which the event stream is trimmed
-- ARGV[4]  how long the ended bot's hash is kept, ms
--
-- Returns 1 ended, 0 the dispatch is still in flight, -1 a runner has claimed it, -2 the bot is not the meeting's
-- current one

-- include: time
-- include: events

local meeting = redis.call('HMGET', KEYS[4], 'bot_id', 'status', 'bot_status')
if meeting[1] ~= ARGV[2] then return -2 end
local bot = redis.call('HMGET', KEYS[5], 'runner', 'entry', 'ended_at')
if bot[1] then return -1 end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end

local at_ms = now_ms()
redis.call('ZREM', KEYS[3], ARGV[2])
if bot[2] and not bot[3] then
  redis.call('XDEL', KEYS[6], bot[2])
  redis.call('HSET', KEYS[5], 'desired', 'none', 'ended_at', at_ms)
  redis.call('PEXPIRE', KEYS[5], ARGV[4])
end
-- Another status than INITIAL was written by another hand: the room is freed all the same, the record left alone.
if meeting[2] == 'INITIAL' and meeting[3] == 'requested' then
  redis.call('HSET', KEYS[4], 'bot_status', 'failed', 'failure_stage', 'requested',
    'completion_reason', 'dispatch_expired')
  record_event(KEYS[7], ARGV[3], at_ms, 'expired', ARGV[1], ARGV[2], 'INITIAL/requested', 'INITIAL/failed',
    'dispatch_expired')
end
-- Last, so that a command that fails, as on a key of the wrong type, does not free the room half-way.
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
