-- Writes a workspace with its owner unless it is there. Repeating it changes nothing.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  workspace_id
-- ARGV[2]  name
-- ARGV[3]  max_concurrent_bots
-- ARGV[4]  user_id of the owner
--
-- Returns the workspace's fields and values, one after the other

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2], 'max_concurrent_bots', ARGV[3], 'created_at', now_ms())
  redis.call('HSET', KEYS[2], ARGV[4], 'owner')
end
return redis.call('HGETALL', KEYS[1])
