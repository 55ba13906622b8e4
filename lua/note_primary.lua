-- Notes since when this very server answers for a partition, as soon as anyone sees it, and tells how full it is; notes
-- what its clock shows, and tells by how much it was set back since. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  primary_key  usher:{pX}:primary  hash: the server that answers, by its replication id, and since when (ms);
--                                           what its clock showed last, and by how much it was set back
-- ARGV[1]  undone_ms  integer: what the caller has put right, of what it was told last: ms, or 0
-- ARGV[2]  lease_ms   integer: time to live of a lease, ms
--
-- Returns {since: integer, used: integer, limit: integer, back: integer}  since when in ms, the bytes that count
--           against its limit, the limit or 0 for none, and by how much the clock was set back in ms, if nobody has
--           put that right

-- include: time
-- include: primary

local primary_key = unpack(KEYS)
local undone_ms, lease_ms = unpack(ARGV)

-- Smaller steps are how clocks are kept right.
local STEP_MS = 1000

local function bytes(memory, field)
  return tonumber(string.match(memory, '\r\n' .. field .. ':(%d+)') or 0)
end

-- By how much the clock was set back. It is written once a second at most, however many nodes ask.
local function set_back(at_ms)
  local known = redis.call('HMGET', primary_key, 'seen', 'set_back')
  local seen_ms = tonumber(known[1] or '') or 0
  local back_ms = tonumber(known[2] or '') or 0
  if undone_ms ~= '0' and back_ms == tonumber(undone_ms) then
    redis.call('HDEL', primary_key, 'set_back')
    back_ms = 0
  end
  if seen_ms > at_ms + STEP_MS then
    back_ms = back_ms + seen_ms - at_ms
    redis.call('HSET', primary_key, 'set_back', string.format('%.0f', back_ms))
  elseif seen_ms > at_ms - STEP_MS then
    return back_ms
  end
  redis.call('HSET', primary_key, 'seen', string.format('%d', at_ms))
  return back_ms
end

local at_ms = now_ms()
local memory = redis.call('INFO', 'memory')
-- What replicas and the append-only file are still to get counts for nothing, as when Redis itself looks.
-- Before `seen` is written.
local since = primary_since(primary_key, at_ms, lease_ms)
return {since, bytes(memory, 'used_memory') - bytes(memory, 'mem_not_counted_for_evict'), bytes(memory, 'maxmemory'),
  set_back(at_ms)}
