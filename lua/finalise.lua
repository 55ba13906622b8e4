-- Finalises the record of a meeting whose bot has left: what was collected from the transcript is written, and the
-- meeting becomes OFFLINE. Repeating it changes nothing. Section 4 of the design: "record finalised".
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  usher:{pX}:analyzing             zset: end of the meeting (ms) -> meeting_id
-- KEYS[3]  usher:{pX}:events                stream: what happened
-- ARGV[1]  meeting_id
-- ARGV[2]  bot_id of the session that ended
-- ARGV[3]  participants: a JSON array of names
-- ARGV[4]  languages: a JSON array of codes
-- ARGV[5]  length at which the event stream is trimmed
--
-- Returns 1 finalised, 0 the meeting is not in ANALYZING after this bot's session (any more)

-- include: time
-- include: events

local meeting = redis.call('HMGET', KEYS[1], 'status', 'bot_id', 'bot_status')
if meeting[1] ~= 'ANALYZING' or meeting[2] ~= ARGV[2] then
  if meeting[1] ~= 'ANALYZING' then redis.call('ZREM', KEYS[2], ARGV[1]) end
  return 0
end
redis.call('HSET', KEYS[1], 'status', 'OFFLINE', 'participants', ARGV[3], 'languages', ARGV[4])
redis.call('ZREM', KEYS[2], ARGV[1])
record_event(KEYS[3], ARGV[5], now_ms(), 'finalised', ARGV[1], ARGV[2], 'ANALYZING/' .. (meeting[3] or ''),
  'OFFLINE/' .. (meeting[3] or ''), 'transcript collected')
return 1
