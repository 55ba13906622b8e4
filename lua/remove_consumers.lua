-- Removes consumers of a stream's group that have read nothing for a while and have nothing pending: those of runners,
-- or nodes, that are gone. One that lives becomes a consumer again by its next read. Looked at and removed in one step,
-- since a consumer's pending entries would go with it.
--
-- KEYS[1]  stream_key  usher:{pX}:dispatch or transcription_segments  stream: what the group reads
-- ARGV[1]  group          text: name of the group
-- ARGV[2]  least_idle_ms  integer: how long a consumer must have been idle, ms
--
-- Returns removed: integer  how many were removed, 0 if there is no such stream or group

local stream_key = unpack(KEYS)
local group, least_idle_ms = unpack(ARGV)

if redis.call('EXISTS', stream_key) == 0 then return 0 end
local is_there = false
for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream_key)) do is_there = is_there or each[2] == group end
if not is_there then return 0 end
local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream_key, group)) do
  local name, pending, idle_ms = consumer[2], consumer[4], consumer[6]
  if pending == 0 and idle_ms >= tonumber(least_idle_ms) then
    redis.call('XGROUP', 'DELCONSUMER', stream_key, group, name)
    removed = removed + 1
  end
end
return removed
