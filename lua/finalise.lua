-- Writes what was collected from the transcript into the record of a meeting whose bot has left, and moves it from
-- ANALYZING to OFFLINE. A record that is OFFLINE already gets what came in late. What a user wrote stays. Repeating it
-- changes nothing. docs/architecture.md, "A meeting's state": "record finalised".
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>        hash: the meeting
-- KEYS[2]  analyzing_key  usher:{pX}:analyzing                   zset: end of the meeting (ms) -> meeting_id
-- KEYS[3]  events_key     usher:{pX}:events                      stream: what happened
-- KEYS[4]  bot_key        usher:{pX}:bot:<bot_id>                hash: the bot of the session that ended
-- KEYS[5]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks  zset: when it was made (ms) -> webhook_id
-- KEYS[6]  outbox_key     usher:{pX}:outbox                      stream: changes that webhooks are to be told of
-- KEYS[7]  operator_key   usher:{pX}:operator                    hash: the operator's endpoint, if there is one
-- KEYS[8]  feed_key       usher:{pX}:meeting:<meeting_id>:feed   stream: what its viewers are told
-- KEYS[9]  feeds_key      usher:{pX}:ws:<workspace_id>:feed      stream: what viewers of all meetings are told
-- ARGV[1]  meeting_id    text
-- ARGV[2]  bot_id        text: bot_id of the session that ended
-- ARGV[3]  revision      text?: the record's segments_revision before the transcript was read
-- ARGV[4]  participants  text: a JSON array of names
-- ARGV[5]  languages     text: a JSON array of codes
-- ARGV[6]  max_events    integer: length at which the event stream is trimmed
--
-- Returns 'finalised'
--         'up_to_date'  it was OFFLINE already, and has what came in since, or gets it from who has read that
--         'not_over'    the meeting is not over, or not after this bot's session

-- include: time
-- include: feed
-- include: events

local meeting_key, analyzing_key, events_key, bot_key, webhooks_key, outbox_key, operator_key,
  feed_key, feeds_key = unpack(KEYS)
local meeting_id, bot_id, revision, participants, languages, max_events = unpack(ARGV)

local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_id', 'bot_status', 'segments_revision',
  'participants_by', 'languages_by', 'redacted_at', 'dispatched_at')
if meeting[1] ~= 'ANALYZING' and meeting[1] ~= 'OFFLINE' then
  -- It runs again, or another hand wrote this status; its next end brings it back.
  redis.call('ZREM', analyzing_key, meeting_id)
  return 'not_over'
end
if meeting[2] ~= bot_id then return 'not_over' end
local is_current = (meeting[4] or '') == revision
-- Who stood still since it read the transcript knows less than who was here since.
if meeting[1] == 'OFFLINE' and not is_current then return 'up_to_date' end
local is_deleted = meeting[7] and (tonumber(meeting[7]) or 0) >= (tonumber(meeting[8] or '') or 0)
if not is_deleted and meeting[5] ~= 'user' then redis.call('HSET', meeting_key, 'participants', participants) end
if not is_deleted and meeting[6] ~= 'user' then redis.call('HSET', meeting_key, 'languages', languages) end
if meeting[1] == 'ANALYZING' then
  local keys = {meeting = meeting_key, events = events_key, webhooks = webhooks_key, outbox = outbox_key,
    operators = operator_key, feed = feed_key, feeds = feeds_key}
  record_change(keys, max_events, now_ms(), 'finalised', meeting_id, bot_id, 'ANALYZING/' .. (meeting[3] or ''),
    'OFFLINE/' .. (meeting[3] or ''), 'transcript collected', redis.call('HGET', bot_key, 'traceparent'))
  redis.call('HSET', meeting_key, 'status', 'OFFLINE')
end
-- What came in since the transcript was read is collected by the next sweep.
if is_current then redis.call('ZREM', analyzing_key, meeting_id) end
if meeting[1] == 'OFFLINE' then return 'up_to_date' end
return 'finalised'
