-- Removes a meeting that ended long enough ago, with its transcript: retention. Never one that has a bot, or whose
-- transcript is being collected. What leads to it from outside its partition is removed by the caller, afterwards: that
-- this is still to be done is noted in its place among those that have ended, and makes the sweep do it if the caller
-- stops here.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:meeting:<meeting_id>:segments      hash: its transcript
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:meetings         zset: number -> meeting_id
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:latest:<room>    string: the newest meeting of the room
-- KEYS[5]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[6]  usher:{pX}:ended                              zset: end of the meeting (ms) -> meeting_id, or what is noted
-- KEYS[7]  usher:{pX}:analyzing                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]  usher:{pX}:ws:<workspace_id>:held:<room>      string: the meeting of the room that a bot was in last
-- KEYS[9]  usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[10] usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- ARGV[1]  meeting_id
-- ARGV[2]  how long a meeting is kept after its end, ms
-- ARGV[3]  what is noted
-- ARGV[4]  room
--
-- Returns 1 removed, 0 it is not due, or its transcript is being collected, -1 it has a bot again: its next end counts

-- include: time
-- include: quota

local ended_at = redis.call('ZSCORE', KEYS[6], ARGV[1])
if not ended_at or tonumber(ended_at) + tonumber(ARGV[2]) > now_ms() then return 0 end
local meeting = redis.call('HMGET', KEYS[1], 'status', 'bot_status', 'names', 'bytes')
local is_over = meeting[2] == 'completed' or meeting[2] == 'failed'
if meeting[1] and (not is_over or redis.call('GET', KEYS[5]) == ARGV[1]) then
  redis.call('ZREM', KEYS[6], ARGV[1])
  return -1
end
if meeting[1] == 'ANALYZING' then return 0 end
count_bytes(KEYS[10], -(tonumber(meeting[4] or '') or 0))
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('GET', KEYS[4]) == ARGV[1] then
  redis.call('DEL', KEYS[4])
  -- Each new meeting of a room has the names of the one before, so that they end with the last one.
  for name in string.gmatch(meeting[3] or '', '%S+') do
    if redis.call('HGET', KEYS[9], name) == ARGV[4] then redis.call('HDEL', KEYS[9], name) end
  end
end
if redis.call('GET', KEYS[8]) == ARGV[1] then redis.call('DEL', KEYS[8]) end
redis.call('ZREM', KEYS[7], ARGV[1])
redis.call('ZADD', KEYS[6], ended_at, ARGV[3])
redis.call('ZREM', KEYS[6], ARGV[1])
return 1
