-- Removes a workspace: from here on there is none of this id, whoever asks by whichever key, and nothing is made in it.
-- What it has left a node takes to pieces. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  members_key    usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- KEYS[3]  lock_key       usher:{pX}:ws:<workspace_id>:lock     string: the token of the request that holds the lock
-- KEYS[4]  removing_key   usher:{pX}:removing                   zset: when it is gone on with (ms) -> workspace_id
-- KEYS[5]  removed_key    usher:{pX}:removed                    zset: when it was removed (ms) -> workspace_id
-- ARGV[1]  workspace_id  text
--
-- Returns 'removing'           (change)
--         'unknown_workspace'  there is no such workspace, or nothing of it is left

-- include: time

local workspace_key, members_key, lock_key, removing_key, removed_key = unpack(KEYS)
local workspace_id = unpack(ARGV)

if redis.call('EXISTS', workspace_key) == 0 then
  if redis.call('ZSCORE', removing_key, workspace_id) then return 'removing' end
  return 'unknown_workspace'
end
local at = string.format('%d', now_ms())
redis.call('ZADD', removing_key, at, workspace_id)
redis.call('ZADD', removed_key, at, workspace_id)
-- Of a re-invitation that is under way: it finds that the lock is another's.
redis.call('SET', lock_key, 'removed')
redis.call('DEL', members_key)
redis.call('DEL', workspace_key)
return 'removing'
