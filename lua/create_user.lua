-- Writes a user's record unless it is there. Repeating it changes nothing, so that whoever meets a user whose creation
-- stopped half-way can finish it.
--
-- KEYS[1]  user_key  usher:user:<user_id>  hash: the user
-- ARGV[1]     user_id       integer
-- ARGV[2]     email         text
-- ARGV[3]     workspace_id  text: id of the personal workspace, taken if the record is new
-- ARGV[4...]  fields        pairs: further fields of the user, each followed by its value
--
-- Returns record: hash  (change): the record

-- include: time

local user_key = unpack(KEYS)
local user_id, email, workspace_id = unpack(ARGV, 1, 3)
local fields = {unpack(ARGV, 4)}

if redis.call('EXISTS', user_key) == 0 then
  redis.call('HSET', user_key, 'id', user_id, 'email', email, 'workspace_id', workspace_id, 'created_at', now_ms(),
    unpack(fields))
end
return redis.call('HGETALL', user_key)
