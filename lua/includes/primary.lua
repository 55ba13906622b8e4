-- Since when (ms) this very server is known to answer for a partition, by a clock that did not leap: until a lease's
-- time is over from then on, no lease may be said to have run out. A replica that takes its primary's place has another
-- replication id, and so has a server that was started anew: such a one may lack the last renewals of leases, and
-- learns of none that its predecessor still grants. And where the clock was set ahead, no lease is as old as it seems:
-- that looks like a time in which nobody swept, by `seen`, which note_primary writes. A leap of less than half a lease
-- leaves every bot the time until its next renewal. The key is a hash: replication_id, since, seen.
local function primary_since(primary_key, at_ms, lease_ms)
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
  local known = redis.call('HMGET', primary_key, 'replication_id', 'since', 'seen')
  local since, seen = tonumber(known[2] or ''), tonumber(known[3] or '')
  -- What is less than 5 s may be a sweep that was held up.
  local has_leapt = seen and at_ms > seen + math.max(lease_ms / 2, 5000)
  -- A clock that was set back must not keep leases for ever.
  if known[1] == id and since and since <= at_ms and not has_leapt then return since end
  local at = string.format('%d', at_ms)
  redis.call('HSET', primary_key, 'replication_id', id, 'since', at)
  -- It counts once.
  if has_leapt then redis.call('HSET', primary_key, 'seen', at) end
  return at_ms
end
