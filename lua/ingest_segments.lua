-- Takes transcript segments of one session of a meeting in. A draft is replaced by a later form of the same segment, a
-- confirmed one only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes
-- nothing. A record that has been finalised is marked for being finalised again, and moved to the archive again.
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]  segments_key   usher:{pX}:meeting:<meeting_id>:segments  hash: <bot_id>:<segment_id> -> version and segment
-- KEYS[3]  analyzing_key  usher:{pX}:analyzing                      zset: end of the meeting (ms) -> meeting_id
-- KEYS[4]  workspace_key  usher:{pX}:ws:<workspace_id>              hash: the workspace
-- KEYS[5]  bot_key        usher:{pX}:bot:<bot_id>                   hash: the bot of the session
-- KEYS[6]  feed_key       usher:{pX}:meeting:<meeting_id>:feed      stream: what its viewers are told
-- KEYS[7]  feeds_key      usher:{pX}:ws:<workspace_id>:feed         stream: what viewers of all meetings are told
-- KEYS[8]  ended_key      usher:{pX}:ended                          zset: end of the meeting (ms) -> meeting_id
-- ARGV[1]     meeting_id         text
-- ARGV[2]     bot_id             text: bot_id of the session
-- ARGV[3]     entry              text?: their version, the id of the stream entry that brought them; none: now
-- ARGV[4]     lasting_ms         integer: how long the session lasts by the latest of them, ms; from 1e12 on: when the
--                                first was said, ms since 1970
-- ARGV[5]     max_segments       integer: most segments that a meeting may have
-- ARGV[6]     max_bytes          integer: most bytes that a meeting may have
-- ARGV[7]     default_max_bytes  integer: the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[8...]  segments           list: for each segment, of which no two have one id: its id, its kind (d draft, c
--                                confirmed, r retracted), meta (start ms, end ms, language: `-` for none, `=` if the
--                                JSON has it), and its JSON or ''
--
-- Returns {'stored', changed: integer}  (change): how many were changed
--         {'unknown_meeting'}           there is no such meeting
--         {'deleted'}                   its transcript was deleted after this session
--         {'full'}                      more than it may have: nothing was changed but the session's beginning
--         {'workspace_full'}            the workspace's meetings would have, likewise
--         {'too_much'}                  what is there of them is too large to be read at once, likewise: send half
--         {'not_by_stream'}             they came by the stream, whose messages anybody may have written, and the bot
--                                       was not told to use it, or has ended some time ago

-- include: time
-- include: versions
-- include: sessions
-- include: quota
-- include: feed
-- include: archive

local meeting_key, segments_key, analyzing_key, workspace_key, bot_key, feed_key, feeds_key, ended_key =
  unpack(KEYS)
local meeting_id, bot_id, entry, lasting_ms, max_segments, max_bytes, default_max_bytes = unpack(ARGV, 1, 7)
local segments = {unpack(ARGV, 8)}

local meeting = redis.call('HMGET', meeting_key, 'id', 'status', 'bot_id', 'dispatched_at', 'redacted_at', 'sessions',
  'bytes', 'archived')
if not meeting[1] then return {'unknown_meeting'} end
local version = entry ~= '' and entry or string.format('%.0f-0', now_ms())
local ms, bytes = parts_of(version), tonumber(meeting[7] or '') or 0
if meeting[5] then
  local began = began_at(meeting[6], bot_id) or (meeting[3] == bot_id and meeting[4])
  if not began or (tonumber(began) or 0) <= (tonumber(meeting[5]) or 0) then return {'deleted'} end
end

-- Up to ten minutes after its end; ids of a stream lie ahead if the clock was set back, as they never go back. A runner
-- of the version before does not note that its bots use the stream.
if entry ~= '' then
  local bot = redis.call('HMGET', bot_key, 'runner', 'stream', 'ended_at')
  if not bot[1] or bot[2] == '0' or (bot[3] and math.min(ms, now_ms()) > (tonumber(bot[3]) or 0) + 600000) then
    return {'not_by_stream'}
  end
end

-- A bot whose reports have not come in yet: its session began no later than its transcript, nor before its dispatch.
local began = tonumber(lasting_ms)
began = began < 1000000000000 and ms - began or math.min(ms, began)
begin_session(meeting_key, bot_id, math.max(began, math.min(ms, tonumber(meeting[4] or '') or 0)))
local fields = {}
for index = 1, #segments, 4 do fields[#fields + 1] = bot_id .. ':' .. segments[index] end
local known = present_forms(segments_key, fields, bytes)
if not known then return {'too_much'} end
local archived, taken = archived_size(meeting[8])
local new, writes, more = archived, {}, 0
for index = 1, #fields do if not known[index] then new = new + 1 end end
if new > archived and redis.call('HLEN', segments_key) + new > tonumber(max_segments) then return {'full'} end
for index = 1, #segments, 4 do
  local field, kind = fields[(index + 3) / 4], segments[index + 1]
  local value = version .. ' ' .. kind .. ' ' .. segments[index + 2] .. ' ' .. segments[index + 3]
  local present = known[(index + 3) / 4]
  if takes_place(present, entry, kind, segments[index + 3]) then
    writes[#writes + 1] = {id = segments[index], field = field, value = value}
    -- With what Redis takes for each beside its text.
    more = more + #value + (present and -#present or #field + 100)
  end
end
if more > 0 and bytes + taken + more > tonumber(max_bytes) then return {'full'} end
if passed_limit(workspace_key, default_max_bytes, more) then return {'workspace_full'} end
if #writes > 0 then
  local keys = {workspace = workspace_key, meeting = meeting_key, feed = feed_key, feeds = feeds_key}
  tell_segments(keys, meeting_id, bot_id, version, writes)
  for _, write in ipairs(writes) do redis.call('HSET', segments_key, write.field, write.value) end
  count_bytes_of(keys, more)
  redis.call('HINCRBY', meeting_key, 'segments_revision', 1)
  if meeting[2] == 'ANALYZING' or meeting[2] == 'OFFLINE' then
    redis.call('ZADD', analyzing_key, 'NX', now_ms(), meeting_id)
    redis.call('ZADD', ended_key, 'NX', now_ms(), meeting_id)
  end
end
return {'stored', #writes}
