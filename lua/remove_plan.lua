-- Removes a planned meeting that never had a bot (DELETE /meetings). What leads to it from outside its partition is
-- removed by the caller, afterwards: that this is still to be done is noted among the meetings that have ended.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>             hash: the meeting
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:meetings       zset: number -> meeting_id
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:latest:<room>  string: the newest meeting of the room
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:held:<room>    string: the meeting of the room that a bot was in last
-- KEYS[5]  usher:{pX}:ws:<workspace_id>:names          hash: another name of a room -> the room
-- KEYS[6]  usher:{pX}:ended                            zset: end of the meeting (ms) -> meeting_id, or what is noted
-- KEYS[7]  usher:{pX}:meeting:<previous meeting_id>    hash: the room's newest meeting before, if there was one
-- KEYS[8]  usher:{pX}:ws:<workspace_id>                hash: the workspace
-- ARGV[1]  meeting_id
-- ARGV[2]  id of the room's newest meeting before, or ''
-- ARGV[3]  what is noted
-- ARGV[4]  room
--
-- Returns 1 removed, 0 there is no such meeting, -1 it is planned no more: a bot was sent to it

-- include: time
-- include: quota

local meeting = redis.call('HMGET', KEYS[1], 'status', 'bot_status', 'names', 'bytes')
if not meeting[1] then return 0 end
if meeting[1] ~= 'INITIAL' or meeting[2] then return -1 end
redis.call('ZADD', KEYS[6], now_ms(), ARGV[3])
redis.call('DEL', KEYS[1])
count_bytes(KEYS[8], -(tonumber(meeting[4] or '') or 0))
redis.call('ZREM', KEYS[2], ARGV[1])
local held = redis.call('GET', KEYS[4])
-- A room that is older than this key has noted a plan there, if there was nothing else.
if held == ARGV[1] then
  redis.call('DEL', KEYS[4])
  held = false
end
if redis.call('GET', KEYS[3]) == ARGV[1] then
  local before = ARGV[2] ~= '' and redis.call('EXISTS', KEYS[7]) == 1 and ARGV[2] or held
  if before then
    redis.call('SET', KEYS[3], before)
    -- Names are forgotten with the newest meeting that has them.
    if before == ARGV[2] and meeting[3] then redis.call('HSET', KEYS[7], 'names', meeting[3]) end
  else
    redis.call('DEL', KEYS[3])
    for name in string.gmatch(meeting[3] or '', '%S+') do
      if redis.call('HGET', KEYS[5], name) == ARGV[4] then redis.call('HDEL', KEYS[5], name) end
    end
  end
end
return 1
