-- Gives a lock back, if it is still the caller's; or an email, if it still leads to the user.
--
-- KEYS[1]  lock_key  usher:{pX}:ws:<workspace_id>:lock, usher:{pX}:outbox:filing  string: the holder's token; or
--                    usher:user:email:<email>: the user
-- ARGV[1]  token  text: the caller's token, or the user
--
-- Returns 'unlocked'    given back
--         'not_yours'   it is another's
--         'not_locked'  there is none

local lock_key = unpack(KEYS)
local token = unpack(ARGV)

local holder = redis.call('GET', lock_key)
if not holder then return 'not_locked' end
if holder ~= token then return 'not_yours' end
redis.call('DEL', lock_key)
return 'unlocked'
