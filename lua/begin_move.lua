-- Takes a meeting that has been over for long enough, with a lease, so that a node moves its transcript to the
-- archive. Of one that has nothing in Redis to be moved it notes that. What an earlier node may have written, and not
-- told of, is removed.
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]  segments_key   usher:{pX}:meeting:<meeting_id>:segments  hash: its transcript
-- KEYS[3]  room_key       usher:{pX}:ws:<workspace_id>:room:<room>  string: the meeting whose bot holds the room
-- KEYS[4]  ended_key      usher:{pX}:ended                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[5]  analyzing_key  usher:{pX}:analyzing                      zset: end of the meeting (ms) -> meeting_id
-- KEYS[6]  archived_key   usher:{pX}:archived                       zset: the same of those that were moved
-- KEYS[7]  moving_key     usher:{pX}:moving                         zset: end of the lease (ms) -> meeting_id
-- KEYS[8]  removals_key   usher:{pX}:removals                       zset: when it goes (ms) -> object of the archive
-- ARGV[1]  meeting_id  text
-- ARGV[2]  after_ms    integer: how long after its end a meeting is moved, ms
-- ARGV[3]  lease_ms    integer: the lease, ms
-- ARGV[4]  object      text: what the node is going to write, 32 hexadecimal digits, behind a k if Redis keeps it
--
-- Returns {'claimed', revision: text?, archived: text?, redacted_at: text?}  (change): fields of the record, which tell
--                      whether anything comes in meanwhile
--         {'nothing'}  there is nothing to be moved
--         {'not_due'}  another node moves it, its transcript is being collected, or it has not been over for so long
--         {'busy'}     it has a bot again: its next end counts

-- include: time
-- include: archive

local meeting_key, segments_key, room_key, ended_key, analyzing_key, archived_key, moving_key, removals_key =
  unpack(KEYS)
local meeting_id, after_ms, lease_ms, object = unpack(ARGV)

local at_ms = now_ms()
local ended_at = redis.call('ZSCORE', ended_key, meeting_id)
if not ended_at or tonumber(ended_at) + tonumber(after_ms) > at_ms then return {'not_due'} end
local lease_end = tonumber(redis.call('ZSCORE', moving_key, meeting_id) or 0)
-- One that ends later than any was given before the clock was set back.
if lease_end > at_ms and lease_end <= at_ms + 86400000 then return {'not_due'} end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'missed_at', 'segments_revision', 'archived',
  'redacted_at', 'moving')
local is_over = meeting[2] == 'completed' or meeting[2] == 'failed' or meeting[3] and not meeting[2]
if not meeting[1] or not is_over or redis.call('GET', room_key) == meeting_id then
  redis.call('ZREM', ended_key, meeting_id)
  return {'busy'}
end
if meeting[1] == 'ANALYZING' or redis.call('ZSCORE', analyzing_key, meeting_id) then return {'not_due'} end
local keys = {meeting = meeting_key, removals = removals_key}
-- Whoever writes that may be standing still, and removes it itself when it goes on.
remove_object(keys, meeting[7], at_ms + 120000)
if redis.call('HLEN', segments_key) == 0 then
  redis.call('HDEL', meeting_key, 'moving')
  redis.call('ZREM', moving_key, meeting_id)
  redis.call('ZADD', archived_key, ended_at, meeting_id)
  redis.call('ZREM', ended_key, meeting_id)
  return {'nothing'}
end
redis.call('HSET', meeting_key, 'moving', object)
redis.call('ZADD', moving_key, string.format('%.0f', at_ms + tonumber(lease_ms)), meeting_id)
return {'claimed', meeting[4] or '', meeting[5] or '', meeting[6] or ''}
