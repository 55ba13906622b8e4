-- Takes transcript segments of one session of a meeting in. A draft is replaced by a later form of the same segment, a
-- confirmed one only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes
-- nothing. A record that has been finalised is marked for being finalised again.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]  usher:{pX}:meeting:<meeting_id>:segments  hash: <bot_id>:<segment_id> -> <version> <kind> <meta> <JSON>
-- KEYS[3]  usher:{pX}:analyzing                      zset: end of the meeting (ms) -> meeting_id
-- KEYS[4]  usher:{pX}:ws:<workspace_id>              hash: the workspace
-- KEYS[5]  usher:{pX}:bot:<bot_id>                   hash: the bot of the session
-- ARGV[1]  meeting_id
-- ARGV[2]  bot_id of the session
-- ARGV[3]  version: the id of the stream entry that brought them, or '' for the present time, which is newer than all
-- ARGV[4]  how long the session lasts by the latest of them, ms; from 1e12 on: when the first was said, ms since 1970
-- ARGV[5]  most segments that a meeting may have
-- ARGV[6]  most bytes that a meeting may have
-- ARGV[7]  the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[8...]  for each segment, of which no two have one id: its id, its kind (d draft, c confirmed, r retracted),
--             meta (start ms, end ms, language: `-` for none, `=` if the JSON has it), and its JSON or ''
--
-- Returns how many were changed, -1 there is no such meeting, -2 its transcript was deleted after this session,
-- -3 it would have more segments or bytes than it may, -4 the workspace's meetings would have: nothing was changed but
-- the beginning of the session, -5 they came by the stream, whose messages anybody may have written, and the bot was
-- not told to use it, or has ended some time ago

-- include: time
-- include: sessions
-- include: quota

-- Versions are compared as pairs of numbers: milliseconds, then a counter, as stream ids are made.
local function parts(version)
  local ms, count = string.match(version, '^(%d+)-(%d+)')
  return tonumber(ms), tonumber(count)
end

local meeting = redis.call('HMGET', KEYS[1], 'id', 'status', 'bot_id', 'dispatched_at', 'redacted_at', 'sessions',
  'bytes')
if not meeting[1] then return -1 end
local version = ARGV[3] ~= '' and ARGV[3] or string.format('%.0f-0', now_ms())
local ms, count = parts(version)
if meeting[5] then
  local began = string.match(' ' .. (meeting[6] or ''), ' ' .. string.gsub(ARGV[2], '%-', '%%-') .. '=(%d+)')
  if not began and meeting[3] == ARGV[2] then began = meeting[4] end
  if not began or tonumber(began) <= tonumber(meeting[5]) then return -2 end
end

-- Up to ten minutes after its end; ids of a stream lie ahead if the clock was set back, as they never go back. A runner
-- of the version before does not note that its bots use the stream.
if ARGV[3] ~= '' then
  local bot = redis.call('HMGET', KEYS[5], 'runner', 'stream', 'ended_at')
  if not bot[1] or bot[2] == '0' or (bot[3] and math.min(ms, now_ms()) > (tonumber(bot[3]) or 0) + 600000) then
    return -5
  end
end

-- A bot whose reports have not come in yet: its session began no later than its transcript, nor before its dispatch.
local began = tonumber(ARGV[4])
began = began < 1000000000000 and ms - began or math.min(ms, began)
begin_session(KEYS[1], ARGV[2], math.max(began, math.min(ms, tonumber(meeting[4] or 0))))
local segments = {unpack(ARGV, 8)}
local fields = {}
for index = 1, #segments, 4 do fields[#fields + 1] = ARGV[2] .. ':' .. segments[index] end
local known = #fields > 0 and redis.call('HMGET', KEYS[2], unpack(fields)) or {}
local new = 0
for index = 1, #fields do
  if not known[index] then new = new + 1 end
end
if new > 0 and redis.call('HLEN', KEYS[2]) + new > tonumber(ARGV[5]) then return -3 end
local writes, more = {}, 0
for index = 1, #segments, 4 do
  local field, kind = fields[(index + 3) / 4], segments[index + 1]
  local value = version .. ' ' .. kind .. ' ' .. segments[index + 2] .. ' ' .. segments[index + 3]
  local present = known[(index + 3) / 4]
  local is_taken = true
  if present then
    local old_version, old_kind, old_json = string.match(present, '^(%S+) (%S) %S+ %S+ %S+ (.*)$')
    local old_ms, old_count = parts(old_version)
    local is_newer = ARGV[3] == '' or ms > old_ms or (ms == old_ms and count > old_count)
    local is_same = kind == old_kind and segments[index + 3] == old_json
    is_taken = not is_same and old_kind ~= 'r' and (kind == 'r' or is_newer) and not (old_kind == 'c' and kind == 'd')
  end
  if is_taken then
    writes[#writes + 1] = {field = field, value = value}
    -- With what Redis takes for each beside its text.
    more = more + #value + (present and -#present or #field + 100)
  end
end
if more > 0 and (tonumber(meeting[7] or '') or 0) + more > tonumber(ARGV[6]) then return -3 end
if passed_limit(KEYS[4], ARGV[7], more) then return -4 end
for _, write in ipairs(writes) do redis.call('HSET', KEYS[2], write.field, write.value) end
if #writes > 0 then
  local keys = {workspace = KEYS[4], meeting = KEYS[1]}
  count_bytes_of(keys, more)
  redis.call('HINCRBY', KEYS[1], 'segments_revision', 1)
  if meeting[2] == 'ANALYZING' or meeting[2] == 'OFFLINE' then redis.call('ZADD', KEYS[3], 'NX', now_ms(), ARGV[1]) end
end
return #writes
