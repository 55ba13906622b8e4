-- Versions of segments, which are ids of stream entries: compared as pairs of numbers, milliseconds and then a counter.
local function parts_of(version)
  local ms, count = string.match(version, '^(%d+)-(%d+)')
  return tonumber(ms) or 0, tonumber(count) or 0
end

local function is_later(version, other)
  local ms, count = parts_of(version)
  local other_ms, other_count = parts_of(other)
  return ms > other_ms or (ms == other_ms and count > other_count)
end

-- The present forms of segments, in the order of their fields; nil if they are too large to be read at once, which
-- would hold up everybody. Of a meeting that is not large nobody needs to look.
local function present_forms(segments_key, fields, meeting_bytes)
  if #fields == 0 then return {} end
  if #fields > 1 and meeting_bytes > 1048576 then
    local bytes = 0
    for _, field in ipairs(fields) do bytes = bytes + redis.call('HSTRLEN', segments_key, field) end
    if bytes > 262144 then return nil end
  end
  return redis.call('HMGET', segments_key, unpack(fields))
end

-- Whether a form of a segment takes the place of the present one, if there is one. `entry` is the version of one that
-- came by the stream, else ''.
local function takes_place(present, entry, kind, json)
  if not present then return true end
  local version, old_kind, place = string.match(present, '^(%S+) (%S) %S+ %S+ %S+ ()')
  -- Another hand wrote that.
  if not version then return true end
  if kind == old_kind and #json == #present - place + 1 and json == string.sub(present, place) then return false end
  local is_newer = entry == '' or is_later(entry, version)
  return old_kind ~= 'r' and (kind == 'r' or is_newer) and not (old_kind == 'c' and kind == 'd')
end
