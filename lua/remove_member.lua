-- Takes a user out of a workspace: the user's API keys for it are refused from the next request on.
--
-- KEYS[1]  members_key  usher:{pX}:ws:<workspace_id>:members  hash: user_id -> role
-- ARGV[1]  user_id  integer
--
-- Returns 'removed'         (change)
--         'unknown_member'  (change): the user is no member; one removed before may still be there on a replica
--         'last_owner'      the workspace would have no owner left

-- include: members

local members_key = unpack(KEYS)
local user_id = unpack(ARGV)

if redis.call('HEXISTS', members_key, user_id) == 0 then return 'unknown_member' end
if not has_another_owner(members_key, user_id) then return 'last_owner' end
redis.call('HDEL', members_key, user_id)
return 'removed'
