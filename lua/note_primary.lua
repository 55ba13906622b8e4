-- Notes since when this very server answers for a partition, as soon as anyone sees it, and tells how full it is.
-- Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  primary_key  usher:{pX}:primary  hash: the server that answers, by its replication id, and since when (ms)
--
-- Returns {since: integer, used: integer, limit: integer}  since when in ms, the bytes that count against its limit,
--           and the limit or 0 for none

-- include: time
-- include: primary

local primary_key = unpack(KEYS)

local memory = redis.call('INFO', 'memory')

local function bytes(field)
  return tonumber(string.match(memory, '\r\n' .. field .. ':(%d+)') or 0)
end

-- What replicas and the append-only file are still to get counts for nothing, as when Redis itself looks.
return {primary_since(primary_key, now_ms()), bytes('used_memory') - bytes('mem_not_counted_for_evict'),
  bytes('maxmemory')}
