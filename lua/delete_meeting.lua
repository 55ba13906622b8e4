-- Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record
-- (DELETE /meetings). Only for a meeting that no bot is in or on its way to.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:meeting:<meeting_id>:segments      hash: its transcript
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- ARGV[1]  meeting_id
--
-- Returns 1 removed, 0 there is no such meeting, -1 its bot is in the room or on its way, or it is being analysed

-- include: time
-- include: quota

local meeting = redis.call('HMGET', KEYS[1], 'status', 'meeting_url', 'bytes')
if not meeting[1] then return 0 end
if redis.call('GET', KEYS[3]) == ARGV[1] or meeting[1] == 'ANALYZING' then return -1 end
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', KEYS[2])
redis.call('HDEL', KEYS[1], 'title', 'participants', 'languages', 'notes', 'bot_output', 'error_details', 'passcode',
  'participants_by', 'languages_by')
-- The link may have the passcode once more: nothing is kept of it but what tells the place.
if meeting[2] then redis.call('HSET', KEYS[1], 'meeting_url', string.match(meeting[2], '^[^?#]*')) end
local at_ms = now_ms()
redis.call('HSET', KEYS[1], 'updated_at', at_ms, 'redacted_at', at_ms)
local taken = tonumber(meeting[3] or '') or 0
local keys = {workspace = KEYS[4], meeting = KEYS[1]}
-- Of what it was made from little is left, and no more is counted than for a new one.
if taken > 1000 then count_bytes_of(keys, 1000 - taken) end
return 1
