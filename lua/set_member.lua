-- Gives a user a role in a workspace, or another one.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  members_key    usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  user_id  integer
-- ARGV[2]  role     text: role: owner, manager, member or viewer
--
-- Returns 1   done (change)
--         0   unknown_workspace: there is no such workspace
--         -1  last_owner: the workspace would have no owner left

-- include: members

local workspace_key, members_key = unpack(KEYS)
local user_id, role = unpack(ARGV)

if redis.call('EXISTS', workspace_key) == 0 then return 0 end
if role ~= 'owner' and not has_another_owner(members_key, user_id) then return -1 end
redis.call('HSET', members_key, user_id, role)
return 1
