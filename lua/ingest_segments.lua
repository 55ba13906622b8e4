-- Takes transcript segments of one meeting in. A draft is replaced by a later form of the same segment, a confirmed
-- segment only by a later confirmed one, and nothing replaces a retracted one; what was taken in before changes nothing.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]  usher:{pX}:meeting:<meeting_id>:segments  hash: <session>:<segment_id> -> <version> <kind> <JSON>
-- ARGV[1]  version: the id of the stream entry that brought them, or '' for the present time
-- ARGV[2...]  for each segment: <session>:<segment_id>, its kind (d draft, c confirmed, r retracted), its JSON or ''
--
-- Returns how many were changed, or -1 if there is no such meeting

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end

-- Versions are compared as pairs of numbers: milliseconds, then a counter, as stream ids are made.
local function parts(version)
  local ms, count = string.match(version, '^(%d+)-(%d+)')
  return tonumber(ms), tonumber(count)
end

local version = ARGV[1] ~= '' and ARGV[1] or string.format('%.0f-0', now_ms())
local ms, count = parts(version)
local changed = 0
for index = 2, #ARGV, 3 do
  local present = redis.call('HGET', KEYS[2], ARGV[index])
  local kind = ARGV[index + 1]
  local is_taken = true
  if present then
    local present_version, present_kind = string.match(present, '^(%S+) (%S)')
    local present_ms, present_count = parts(present_version)
    local is_older = ms < present_ms or (ms == present_ms and count < present_count)
    is_taken = present_kind ~= 'r' and (kind == 'r' or not is_older) and not (present_kind == 'c' and kind == 'd')
  end
  local value = version .. ' ' .. kind .. ' ' .. ARGV[index + 2]
  if is_taken and present ~= value then
    redis.call('HSET', KEYS[2], ARGV[index], value)
    changed = changed + 1
  end
end
return changed
