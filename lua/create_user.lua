-- Writes a user's record unless it is there. Repeating it changes nothing, so that whoever meets a user whose creation
-- stopped half-way can finish it.
--
-- KEYS[1]  usher:user:<user_id>  hash: the user
-- ARGV[1]  user_id
-- ARGV[2]  email
-- ARGV[3]  id of the personal workspace, taken if the record is new
-- ARGV[4...]  further fields of the user, each followed by its value
--
-- Returns the record's fields and values, one after the other

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'id', ARGV[1], 'email', ARGV[2], 'workspace_id', ARGV[3], 'created_at', now_ms(),
    unpack(ARGV, 4))
end
return redis.call('HGETALL', KEYS[1])
