-- What the archive has of a meeting (docs/architecture.md, "The archive"). Of its record, the field `archived` is the
-- object that has the transcript as it was when Redis let go of it: `<object> <SHA-256> <bytes> <bytes unpacked>
-- <segments> <taken>`, the last as quotas count them; and `moving` the one that a node may be writing.

-- The segments that the archive has, and the bytes that they would take here.
local function archived_size(archived)
  local segments, taken = string.match(archived or '', ' (%d+) (%d+)$')
  return tonumber(segments) or 0, tonumber(taken) or 0
end

-- What an object takes that Redis keeps itself: nothing if it is elsewhere.
local function bytes_kept(object_key)
  local bytes = 0
  for part = 0, redis.call('HLEN', object_key) - 1 do
    bytes = bytes + redis.call('HSTRLEN', object_key, part) + 100
  end
  return bytes
end

-- Has an object removed from the archive by whichever node comes by at that time. `keys` has the members meeting (hash)
-- and removals (zset).
local function remove_object(keys, object, at_ms)
  local meeting = redis.call('HMGET', keys.meeting, 'workspace_id', 'id')
  if not object or not meeting[1] or not meeting[2] then return end
  redis.call('ZADD', keys.removals, string.format('%.0f', at_ms), meeting[1] .. '/' .. meeting[2] .. '-' .. object)
end

-- The same of all that the archive has of a meeting: of what is being written, once that is there.
local function remove_archived(keys, at_ms)
  local meeting = redis.call('HMGET', keys.meeting, 'archived', 'moving')
  remove_object(keys, string.match(meeting[1] or '', '^%x+'), at_ms)
  remove_object(keys, string.match(meeting[2] or '', '^%x+'), at_ms + 120000)
  redis.call('HDEL', keys.meeting, 'archived', 'moving', 'archived_participants', 'archived_languages')
end
