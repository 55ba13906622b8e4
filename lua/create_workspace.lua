-- Writes a workspace with its owner unless it is there, or was removed. Repeating it changes nothing.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  members_key    usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- KEYS[3]  removed_key    usher:{pX}:removed                    zset: when it was removed (ms) -> workspace_id
-- ARGV[1]  workspace_id         text
-- ARGV[2]  name                 text
-- ARGV[3]  max_concurrent_bots  integer
-- ARGV[4]  owner                integer: user_id of the owner
--
-- Returns record: hash  (change): the workspace; nothing of one that was removed

-- include: time

local workspace_key, members_key, removed_key = unpack(KEYS)
local workspace_id, name, max_concurrent_bots, owner = unpack(ARGV)

if redis.call('EXISTS', workspace_key) == 0 and not redis.call('ZSCORE', removed_key, workspace_id) then
  redis.call('HSET', workspace_key, 'id', workspace_id, 'name', name, 'max_concurrent_bots', max_concurrent_bots,
    'created_at', now_ms())
  redis.call('HSET', members_key, owner, 'owner')
end
return redis.call('HGETALL', workspace_key)
