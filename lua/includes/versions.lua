-- Versions of segments, which are ids of stream entries: compared as pairs of numbers, milliseconds and then a counter.
local function parts_of(version)
  local ms, count = string.match(version, '^(%d+)-(%d+)')
  return tonumber(ms), tonumber(count)
end

local function is_later(version, other)
  local ms, count = parts_of(version)
  local other_ms, other_count = parts_of(other)
  return ms > other_ms or (ms == other_ms and count > other_count)
end
