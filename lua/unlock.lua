-- Gives a workspace's lock back, if it is still the caller's.
--
-- KEYS[1]  lock_key  usher:{pX}:ws:<workspace_id>:lock or usher:{pX}:outbox:filing  string: the holder's token
-- ARGV[1]  token  text: the caller's lock token
--
-- Returns 'unlocked'    given back
--         'not_yours'   the lock is another's
--         'not_locked'  there is no lock

local lock_key = unpack(KEYS)
local token = unpack(ARGV)

local holder = redis.call('GET', lock_key)
if not holder then return 'not_locked' end
if holder ~= token then return 'not_yours' end
redis.call('DEL', lock_key)
return 'unlocked'
