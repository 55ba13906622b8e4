-- Since when (ms) this very server is known to answer for a partition: a replica that takes its primary's place has
-- another replication id, and so has a server that was started anew. Such a one may lack the last renewals of leases,
-- and learns of none that its predecessor still grants: until a lease's time is over, no lease may be said to have run
-- out. The key is a hash: replication_id, since.
local function primary_since(primary_key, at_ms)
  local id = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
  local known = redis.call('HMGET', primary_key, 'replication_id', 'since')
  local since = tonumber(known[2])
  -- A clock that was set back must not keep leases for ever.
  if known[1] == id and since and since <= at_ms then return since end
  redis.call('HSET', primary_key, 'replication_id', id, 'since', string.format('%d', at_ms))
  return at_ms
end
