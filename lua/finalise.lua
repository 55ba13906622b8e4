-- Writes what was collected from the transcript into the record of a meeting whose bot has left, and moves it from
-- ANALYZING to OFFLINE. A record that is OFFLINE already gets what came in late. What a user wrote stays. Repeating it
-- changes nothing. docs/architecture.md, "A meeting's state": "record finalised".
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  usher:{pX}:analyzing             zset: end of the meeting (ms) -> meeting_id
-- KEYS[3]  usher:{pX}:events                stream: what happened
-- KEYS[4]  usher:{pX}:bot:<bot_id>          hash: the bot of the session that ended
-- ARGV[1]  meeting_id
-- ARGV[2]  bot_id of the session that ended
-- ARGV[3]  the record's segments_revision before the transcript was read, or ''
-- ARGV[4]  participants: a JSON array of names
-- ARGV[5]  languages: a JSON array of codes
-- ARGV[6]  length at which the event stream is trimmed
--
-- Returns 1 finalised, 2 it was OFFLINE already and is up to date, 0 the meeting is not over, or not after this bot's
-- session

-- include: time
-- include: events

local meeting = redis.call('HMGET', KEYS[1], 'status', 'bot_id', 'bot_status', 'segments_revision', 'participants_by',
  'languages_by', 'redacted_at', 'dispatched_at')
if meeting[1] ~= 'ANALYZING' and meeting[1] ~= 'OFFLINE' then
  -- It runs again, or another hand wrote this status; its next end brings it back.
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if meeting[2] ~= ARGV[2] then return 0 end
local is_deleted = meeting[7] and tonumber(meeting[7]) >= tonumber(meeting[8] or 0)
if not is_deleted and meeting[5] ~= 'user' then redis.call('HSET', KEYS[1], 'participants', ARGV[4]) end
if not is_deleted and meeting[6] ~= 'user' then redis.call('HSET', KEYS[1], 'languages', ARGV[5]) end
-- What came in since the transcript was read is collected by the next sweep.
if (meeting[4] or '') == ARGV[3] then redis.call('ZREM', KEYS[2], ARGV[1]) end
if meeting[1] == 'OFFLINE' then return 2 end
redis.call('HSET', KEYS[1], 'status', 'OFFLINE')
record_event(KEYS[3], ARGV[6], now_ms(), 'finalised', ARGV[1], ARGV[2], 'ANALYZING/' .. (meeting[3] or ''),
  'OFFLINE/' .. (meeting[3] or ''), 'transcript collected', redis.call('HGET', KEYS[4], 'traceparent'))
return 1
