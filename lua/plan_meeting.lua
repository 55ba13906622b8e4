-- Changes a planned meeting that has had no bot yet: its time, whether a bot is sent then, and what that bot is told
-- (PATCH /meetings). With a new time it counts as missed no more.
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  workspace_key  usher:{pX}:ws:<workspace_id>     hash: the workspace
-- KEYS[3]  plans_key      usher:{pX}:plans                 zset: when a bot is to be sent (ms) -> plan
-- ARGV[1]     plan               text: how the meeting is named there
-- ARGV[2]     lead_ms            integer: how long before its time a bot is sent, ms
-- ARGV[3]     late_ms            integer: how long after it none is sent any more, ms
-- ARGV[4]     scheduled_at       integer?: the new time, if it gets one
-- ARGV[5]     default_max_bytes  integer: the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[6]     cleared            text: fields that are removed, with a space before each
-- ARGV[7...]  fields             pairs: fields, each followed by its value
--
-- Returns 1   changed (change)
--         0   unknown_meeting: there is no such meeting
--         -1  not_planned: a bot was sent to it, or it was cancelled
--         -2  in_past: it is too late for the new time
--         -4  workspace_full: its workspace would have too many bytes

-- include: time
-- include: quota
-- include: plans

local meeting_key, workspace_key, plans_key = unpack(KEYS)
local plan, lead_ms, late_ms, scheduled_at, default_max_bytes, cleared = unpack(ARGV, 1, 6)
local fields = {unpack(ARGV, 7)}

local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status')
if not meeting[1] then return 0 end
if meeting[1] ~= 'INITIAL' or meeting[2] then return -1 end
local at_ms = now_ms()
if scheduled_at ~= '' and is_missed(scheduled_at, late_ms, at_ms) then return -2 end
local more = 0
for index = 1, #fields, 2 do
  more = more + #fields[index + 1] - redis.call('HSTRLEN', meeting_key, fields[index])
end
for name in string.gmatch(cleared, '%S+') do more = more - redis.call('HSTRLEN', meeting_key, name) end
if passed_limit(workspace_key, default_max_bytes, more) then return -4 end

for name in string.gmatch(cleared, '%S+') do redis.call('HDEL', meeting_key, name) end
redis.call('HSET', meeting_key, 'updated_at', string.format('%d', at_ms), unpack(fields))
if scheduled_at ~= '' then
  redis.call('HSET', meeting_key, 'scheduled_at', scheduled_at)
  redis.call('HDEL', meeting_key, 'missed_at', 'auto_join_error')
end
-- What was missed waits for a new time.
local keys = {workspace = workspace_key, meeting = meeting_key, plans = plans_key}
if redis.call('HEXISTS', meeting_key, 'missed_at') == 0 then arm(keys, plan, lead_ms) end
count_bytes_of(keys, more)
return 1
