-- Gives a user a role in a workspace, or another one.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>          hash: the workspace
-- KEYS[2]  members_key    usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  user_id  integer
-- ARGV[2]  role     text: role: owner, manager, member or viewer
-- ARGV[3]  whom     text: member for one who is one, newcomer for one who is none (or has this role), anybody for both
-- ARGV[4]  most     integer: how many members a workspace may have
--
-- Returns 'changed'            (change)
--         'unknown_workspace'  there is no such workspace
--         'last_owner'         the workspace would have no owner left
--         'unknown_member'     the user is no member, and was to be one
--         'member_before'      the user is a member with another role, and was to be none
--         'too_many'           the workspace has as many members as it may have

-- include: members

local workspace_key, members_key = unpack(KEYS)
local user_id, role, whom, most = unpack(ARGV)

if redis.call('EXISTS', workspace_key) == 0 then return 'unknown_workspace' end
local before = redis.call('HGET', members_key, user_id)
if not before then
  if whom == 'member' then return 'unknown_member' end
  if redis.call('HLEN', members_key) >= tonumber(most) then return 'too_many' end
elseif whom == 'newcomer' and before ~= role then
  return 'member_before'
end
if role ~= 'owner' and not has_another_owner(members_key, user_id) then return 'last_owner' end
redis.call('HSET', members_key, user_id, role)
return 'changed'
