-- Removes consumers of the dispatch stream that have read nothing for a while and have nothing pending: those of
-- runners that are gone. A runner that lives becomes a consumer again by its next read. Looked at and removed in one
-- step, since a consumer's pending entries would go with it.
--
-- KEYS[1]  usher:{pX}:dispatch  stream: dispatches to be claimed
-- ARGV[1]  how long a consumer must have been idle, ms
--
-- Returns how many were removed, 0 if there is no such stream or group

if redis.call('EXISTS', KEYS[1]) == 0 or #redis.call('XINFO', 'GROUPS', KEYS[1]) == 0 then return 0 end
local removed = 0
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], 'runners')) do
  local name, pending, idle_ms = consumer[2], consumer[4], consumer[6]
  if pending == 0 and idle_ms >= tonumber(ARGV[1]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'runners', name)
    removed = removed + 1
  end
end
return removed
