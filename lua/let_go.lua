-- Lets go of a transcript that the archive has, if nothing has changed since it was read: neither came anything in, nor
-- was anything deleted, nor did another node move it. Else what was written is removed, and the meeting is moved anew.
--
-- flags: allow-oom
--
-- KEYS[1]   meeting_key    usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]   segments_key   usher:{pX}:meeting:<meeting_id>:segments  hash: its transcript
-- KEYS[3]   room_key       usher:{pX}:ws:<workspace_id>:room:<room>  string: the meeting whose bot holds the room
-- KEYS[4]   ended_key      usher:{pX}:ended                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[5]   analyzing_key  usher:{pX}:analyzing                      zset: end of the meeting (ms) -> meeting_id
-- KEYS[6]   archived_key   usher:{pX}:archived                       zset: the same of those that were moved
-- KEYS[7]   moving_key     usher:{pX}:moving                         zset: end of the lease (ms) -> meeting_id
-- KEYS[8]   removals_key   usher:{pX}:removals                       zset: when it goes (ms) -> object of the archive
-- KEYS[9]   workspace_key  usher:{pX}:ws:<workspace_id>              hash: the workspace
-- KEYS[10]  feed_key       usher:{pX}:meeting:<meeting_id>:feed      stream: what its viewers are told
-- KEYS[11]  object_key     usher:{pX}:meeting:<meeting_id>:object:<object>  hash: what was written, if Redis keeps it
-- ARGV[1]   meeting_id    text
-- ARGV[2]   object        text: what was written
-- ARGV[3]   revision      text?: the record's segments_revision before the transcript was read
-- ARGV[4]   before        text?: its `archived` then
-- ARGV[5]   redacted_at   text?: its `redacted_at` then
-- ARGV[6]   archived      text: its `archived` from now on
-- ARGV[7]   bytes         integer: what the quotas have counted of the segments that go
-- ARGV[8]   keep_ms       integer: how long the object before is kept, for those who read it, ms
-- ARGV[9]   part_bytes    integer: how many of its packed bytes a part of an object here has
-- ARGV[10]  participants  text: a JSON array of the names in what was written
-- ARGV[11]  languages     text: a JSON object of how many of its segments each code has
--
-- Returns 'gone'        (change)
--         'not_yours'   another node moves it, or it was deleted: the caller removes what it has written
--         'look_again'  it has changed, and what was written is removed

-- include: time
-- include: quota
-- include: feed
-- include: archive

local meeting_key, segments_key, room_key, ended_key, analyzing_key, archived_key, moving_key, removals_key,
  workspace_key, feed_key, object_key = unpack(KEYS)
local meeting_id, object, revision, before, redacted_at, archived, bytes, keep_ms, part_bytes, participants, languages =
  unpack(ARGV)

local meeting = redis.call('HMGET', meeting_key, 'moving', 'segments_revision', 'archived', 'redacted_at', 'status')
-- The answer of the first time was lost.
if string.match(meeting[3] or '', '^%w+') == object then return 'gone' end
if meeting[1] ~= object then return 'not_yours' end
local at_ms = now_ms()
local keys = {meeting = meeting_key, removals = removals_key, workspace = workspace_key, feed = feed_key}
local is_same = (meeting[2] or '') == revision and (meeting[3] or '') == before and (meeting[4] or '') == redacted_at
local ended_at = redis.call('ZSCORE', ended_key, meeting_id)
-- A failover may have forgotten what was written.
local packed = packed_here(archived)
if packed and redis.call('HLEN', object_key) ~= math.ceil(packed / part_bytes) then is_same = false end
if not is_same or not ended_at or meeting[5] == 'ANALYZING' or redis.call('ZSCORE', analyzing_key, meeting_id)
  or redis.call('GET', room_key) == meeting_id then
  remove_object(keys, object, at_ms)
  redis.call('HDEL', meeting_key, 'moving')
  redis.call('ZREM', moving_key, meeting_id)
  return 'look_again'
end
tell_move(keys)
-- What can fail comes first: see bots. Whoever collects from what was read before does not take it for all.
redis.call('HINCRBY', meeting_key, 'segments_revision', 1)
redis.call('ZADD', archived_key, ended_at, meeting_id)
-- One that Redis keeps is there for who has just read of it; no failover forgets the other one alone.
local kept_for = packed_here(before) and 120000 or keep_ms
remove_object(keys, string.match(before, '^%w+'), at_ms + kept_for)
redis.call('HSET', meeting_key, 'archived', archived, 'archived_participants', participants, 'archived_languages',
  languages)
redis.call('HDEL', meeting_key, 'moving')
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', segments_key)
redis.call('ZREM', moving_key, meeting_id)
redis.call('ZREM', ended_key, meeting_id)
count_bytes_of(keys, bytes_kept(archived) - bytes_kept(before) - tonumber(bytes))
return 'gone'
