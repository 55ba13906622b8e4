-- Removes consumers of a stream's group that have read nothing for a while and have nothing pending: those of runners,
-- or nodes, that are gone. One that lives becomes a consumer again by its next read. Looked at and removed in one step,
-- since a consumer's pending entries would go with it.
--
-- KEYS[1]  usher:{pX}:dispatch or transcription_segments  stream: what the group reads
-- ARGV[1]  name of the group
-- ARGV[2]  how long a consumer must have been idle, ms
--
-- Returns how many were removed, 0 if there is no such stream or group

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local is_there = false
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do is_there = is_there or group[2] == ARGV[1] end
if not is_there then return 0 end
local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local name, pending, idle_ms = consumer[2], consumer[4], consumer[6]
  if pending == 0 and idle_ms >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
    removed = removed + 1
  end
end
return removed
