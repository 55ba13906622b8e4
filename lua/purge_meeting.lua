-- Removes a meeting that ended long enough ago, with its transcript: retention. Never one that has a bot, or whose
-- transcript is being collected. What leads to it from outside its partition is removed by the caller, afterwards: that
-- this is still to be done is noted in its place among those that have ended, and makes the sweep do it if the caller
-- stops here.
--
-- flags: allow-oom
--
-- KEYS[1]   meeting_key    usher:{pX}:meeting:<meeting_id>             hash: the meeting
-- KEYS[2]   segments_key   usher:{pX}:meeting:<meeting_id>:segments    hash: its transcript
-- KEYS[3]   meetings_key   usher:{pX}:ws:<workspace_id>:meetings       zset: number -> meeting_id
-- KEYS[4]   latest_key     usher:{pX}:ws:<workspace_id>:latest:<room>  string: the newest meeting of the room
-- KEYS[5]   room_key       usher:{pX}:ws:<workspace_id>:room:<room>    string: the meeting whose bot holds the room
-- KEYS[6]   ended_key      usher:{pX}:ended                            zset: end of the meeting (ms) -> meeting_id, or
--                                                                      what is noted
-- KEYS[7]   analyzing_key  usher:{pX}:analyzing                        zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]   held_key       usher:{pX}:ws:<workspace_id>:held:<room>    string: the meeting of the room that a bot was
--                                                                      in last
-- KEYS[9]   names_key      usher:{pX}:ws:<workspace_id>:names          hash: another name of a room -> the room
-- KEYS[10]  workspace_key  usher:{pX}:ws:<workspace_id>                hash: the workspace
-- KEYS[11]  images_key     usher:{pX}:ws:<workspace_id>:screenshots        hash: meeting_id -> the picture, in Base64
-- KEYS[12]  order_key      usher:{pX}:ws:<workspace_id>:screenshots:order  zset: when it came (ms) -> meeting_id
-- KEYS[13]  feed_key       usher:{pX}:meeting:<meeting_id>:feed        stream: what its viewers are told
-- KEYS[14]  archived_key  usher:{pX}:archived                          zset: end of the meeting (ms) -> meeting_id,
--                                                                      of those that the archive has
-- KEYS[15]  moving_key    usher:{pX}:moving                            zset: end of a lease (ms) -> meeting_id
-- KEYS[16]  removals_key  usher:{pX}:removals                          zset: when it goes (ms) -> object of the archive
-- KEYS[17]  planned_key   usher:{pX}:ws:<workspace_id>:planned:<room>  zset: time (ms) -> meeting_id
-- KEYS[18]  heir_key      usher:{pX}:meeting:<heir_id>                 hash: the meeting that the room's names go to
-- KEYS[19]  dedup_key?    usher:{pX}:ws:<workspace_id>:dedup:<key>     string: the meeting with its deduplication key
-- ARGV[1]  meeting_id  text
-- ARGV[2]  keep_ms     integer: how long a meeting is kept after its end, ms
-- ARGV[3]  note        text: what is noted
-- ARGV[4]  room        text
-- ARGV[5]  heir_id     text?: the room's other meeting that has its bot, else the one that was held last, else that is
--                      planned next
--
-- Returns 'removed'
--         'not_due'     it is not due, or its transcript is being collected
--         'busy'        it has a bot again: its next end counts
--         'look_again'  the room's other meeting is another one by now

-- include: time
-- include: quota
-- include: archive

local meeting_key, segments_key, meetings_key, latest_key, room_key, ended_key, analyzing_key, held_key, names_key,
  workspace_key, images_key, order_key, feed_key, archived_key, moving_key, removals_key, planned_key,
  heir_key, dedup_key = unpack(KEYS)
local meeting_id, keep_ms, note, room, heir_id = unpack(ARGV)

-- One that was held again since it was moved counts by its last end.
local ended_at = redis.call('ZSCORE', ended_key, meeting_id)
if ended_at then redis.call('ZREM', archived_key, meeting_id) end
ended_at = ended_at or redis.call('ZSCORE', archived_key, meeting_id)
if not ended_at or tonumber(ended_at) + tonumber(keep_ms) > now_ms() then return 'not_due' end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'names', 'bytes', 'missed_at')
local is_over = meeting[2] == 'completed' or meeting[2] == 'failed' or meeting[5] and not meeting[2]
if meeting[1] and (not is_over or redis.call('GET', room_key) == meeting_id) then
  redis.call('ZREM', ended_key, meeting_id)
  redis.call('ZREM', archived_key, meeting_id)
  return 'busy'
end
if meeting[1] == 'ANALYZING' then return 'not_due' end
local held = redis.call('GET', held_key)
local other = redis.call('GET', room_key) or held ~= meeting_id and held or redis.call('ZRANGE', planned_key, 0, 0)[1]
if (other or '') ~= heir_id then return 'look_again' end
local has_key = dedup_key and redis.call('GET', dedup_key) == meeting_id
count_bytes(workspace_key, -(tonumber(meeting[4] or '') or 0))
local keys = {meeting = meeting_key, removals = removals_key}
remove_archived(keys, now_ms())
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', meeting_key, segments_key, feed_key)
redis.call('HDEL', images_key, meeting_id)
redis.call('ZREM', order_key, meeting_id)
redis.call('ZREM', meetings_key, meeting_id)
-- Each new meeting of a room has the names of the one before, so that they end with the last one: which need not be the
-- newest, where an older one is planned for later.
local is_latest = redis.call('GET', latest_key) == meeting_id
if is_latest and other and redis.call('EXISTS', heir_key) == 1 then
  redis.call('SET', latest_key, other)
  if meeting[3] then redis.call('HSET', heir_key, 'names', meeting[3]) end
elseif is_latest then
  redis.call('DEL', latest_key)
  for name in string.gmatch(meeting[3] or '', '%S+') do
    if redis.call('HGET', names_key, name) == room then redis.call('HDEL', names_key, name) end
  end
end
if held == meeting_id then redis.call('DEL', held_key) end
if has_key then redis.call('DEL', dedup_key) end
redis.call('ZREM', analyzing_key, meeting_id)
redis.call('ZADD', ended_key, ended_at, note)
redis.call('ZREM', ended_key, meeting_id)
redis.call('ZREM', archived_key, meeting_id)
redis.call('ZREM', moving_key, meeting_id)
return 'removed'
