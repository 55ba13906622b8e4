-- Removes a meeting's transcript and what was collected or noted about it, and keeps the bare record
-- (DELETE /meetings). Only for a meeting that no bot is in or on its way to.
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]  segments_key   usher:{pX}:meeting:<meeting_id>:segments  hash: its transcript
-- KEYS[3]  room_key       usher:{pX}:ws:<workspace_id>:room:<room>  string: the meeting whose bot holds the room
-- KEYS[4]  workspace_key  usher:{pX}:ws:<workspace_id>              hash: the workspace
-- KEYS[5]  images_key     usher:{pX}:ws:<workspace_id>:screenshots        hash: meeting_id -> the picture, in Base64
-- KEYS[6]  order_key      usher:{pX}:ws:<workspace_id>:screenshots:order  zset: when it came (ms) -> meeting_id
-- KEYS[7]  feed_key       usher:{pX}:meeting:<meeting_id>:feed      stream: what its viewers are told
-- KEYS[8]  feeds_key      usher:{pX}:ws:<workspace_id>:feed         stream: what viewers of all meetings are told
-- KEYS[9]  removals_key   usher:{pX}:removals                       zset: when it goes (ms) -> object of the archive
-- ARGV[1]  meeting_id  text
--
-- Returns 'removed'          (change)
--         'unknown_meeting'  there is no such meeting
--         'busy'             its bot is in the room or on its way, or it is being analysed

-- include: time
-- include: quota
-- include: feed
-- include: archive

local meeting_key, segments_key, room_key, workspace_key, images_key, order_key, feed_key, feeds_key, removals_key =
  unpack(KEYS)
local meeting_id = unpack(ARGV)

local meeting = redis.call('HMGET', meeting_key, 'status', 'meeting_url', 'bytes', 'sessions', 'dispatched_at')
if not meeting[1] then return 'unknown_meeting' end
if redis.call('GET', room_key) == meeting_id or meeting[1] == 'ANALYZING' then return 'busy' end
local keys = {workspace = workspace_key, meeting = meeting_key, feed = feed_key, feeds = feeds_key,
  removals = removals_key}
tell_deletion(keys, meeting_id)
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', segments_key)
local at_ms = now_ms()
remove_archived(keys, at_ms)
redis.call('HDEL', images_key, meeting_id)
redis.call('ZREM', order_key, meeting_id)
redis.call('HDEL', meeting_key, 'title', 'participants', 'languages', 'notes', 'recordings', 'bot_output',
  'page_outline', 'error_details', 'passcode', 'participants_by', 'languages_by')
-- The link may have the passcode once more: nothing is kept of it but what tells the place.
if meeting[2] then redis.call('HSET', meeting_key, 'meeting_url', string.match(meeting[2], '^[^?#]*')) end
-- What began ahead, before the clock was set back, began before this all the same.
local sessions = {}
for id, began in string.gmatch(meeting[4] or '', '(%S+)=(%d+)') do
  sessions[#sessions + 1] = id .. '=' .. string.format('%.0f', math.min(tonumber(began), at_ms))
end
if meeting[4] then redis.call('HSET', meeting_key, 'sessions', table.concat(sessions, ' ')) end
local redacted_at = string.format('%.0f', math.max(at_ms, tonumber(meeting[5] or '') or 0))
redis.call('HSET', meeting_key, 'updated_at', at_ms, 'redacted_at', redacted_at)
local taken = tonumber(meeting[3] or '') or 0
-- Of what it was made from little is left, and no more is counted than for a new one.
if taken > 1000 then count_bytes_of(keys, 1000 - taken) end
return 'removed'
