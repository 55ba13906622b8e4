-- Takes a user out of a workspace: the user's API keys for it are refused from the next request on.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  user_id
--
-- Returns 1 done, 0 the user is no member, -1 the workspace would have no owner left

-- include: members

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
if not has_another_owner(KEYS[1], ARGV[1]) then return -1 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
