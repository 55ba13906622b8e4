-- What the archive has of a meeting (docs/architecture.md, "The archive"). Of its record, the field `archived` is the
-- object that has the transcript as it was when Redis let go of it: `<object> <SHA-256> <bytes> <bytes unpacked>
-- <segments> <taken>`, the last as quotas would count them here; and `moving` the one that a node may be writing.

-- The packed bytes of an object that Redis keeps itself, whose name begins with a k; nil of one that is elsewhere.
local function packed_here(archived)
  return tonumber(string.match(archived or '', '^k%x+ %x+ (%d+) '))
end

-- What such an object takes, as quotas count it: as Base64, and a little more. The meeting's `bytes` have it.
local function bytes_kept(archived)
  local bytes = packed_here(archived)
  return bytes and bytes + math.floor(bytes / 3) + 200 or 0
end

-- The segments that the archive has, and the bytes that they would take here beyond those that `bytes` has.
local function archived_size(archived)
  local segments, taken = string.match(archived or '', ' (%d+) (%d+)$')
  return tonumber(segments) or 0, (tonumber(taken) or 0) - bytes_kept(archived)
end

-- Has an object removed from the archive by whichever node comes by at that time. `keys` has the members meeting (hash)
-- and removals (zset). Those that Redis keeps lie 10^15 ms before their time, so that others, whose archive may be
-- away, are never before them.
local function remove_object(keys, object, at_ms)
  local meeting = redis.call('HMGET', keys.meeting, 'workspace_id', 'id')
  if not object or not meeting[1] or not meeting[2] then return end
  if string.sub(object, 1, 1) == 'k' then at_ms = at_ms - 1000000000000000 end
  redis.call('ZADD', keys.removals, string.format('%.0f', at_ms), meeting[1] .. '/' .. meeting[2] .. '-' .. object)
end

-- The same of all that the archive has of a meeting: of what is being written, once that is there.
local function remove_archived(keys, at_ms)
  local meeting = redis.call('HMGET', keys.meeting, 'archived', 'moving')
  remove_object(keys, string.match(meeting[1] or '', '^%w+'), at_ms)
  remove_object(keys, string.match(meeting[2] or '', '^%w+'), at_ms + 120000)
  redis.call('HDEL', keys.meeting, 'archived', 'moving', 'archived_participants', 'archived_languages')
end
