-- Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record
-- (DELETE /meetings). Only for a meeting that no bot is in or on its way to.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:meeting:<meeting_id>:segments      hash: its transcript
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- ARGV[1]  meeting_id
--
-- Returns 1 removed, 0 there is no such meeting, -1 its bot is in the room or on its way, or it is being analysed

-- include: time

local status = redis.call('HGET', KEYS[1], 'status')
if not status then return 0 end
if redis.call('GET', KEYS[3]) == ARGV[1] or status == 'ANALYZING' then return -1 end
redis.call('DEL', KEYS[2])
redis.call('HDEL', KEYS[1], 'title', 'participants', 'languages', 'notes', 'bot_output', 'passcode',
  'participants_by', 'languages_by')
local at_ms = now_ms()
redis.call('HSET', KEYS[1], 'updated_at', at_ms, 'redacted_at', at_ms)
return 1
