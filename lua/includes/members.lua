-- Whether the workspace would still have an owner if this user were none.
local function has_another_owner(members_key, user_id)
  local members = redis.call('HGETALL', members_key)
  for index = 1, #members, 2 do
    if members[index] ~= user_id and members[index + 1] == 'owner' then return true end
  end
  return false
end
