-- Gives a user a role in a workspace, or another one.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  user_id
-- ARGV[2]  role: owner, manager, member or viewer
--
-- Returns 1 done, 0 there is no such workspace, -1 the workspace would have no owner left

-- include: members

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[2] ~= 'owner' and not has_another_owner(KEYS[2], ARGV[1]) then return -1 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
