-- Gives a workspace's lock back, if it is still the caller's.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>:lock  string: the token of the request that holds the lock
-- ARGV[1]  the caller's lock token
--
-- Returns 1 given back, 0 the lock is another's, -1 there is no lock

local token = redis.call('GET', KEYS[1])
if not token then return -1 end
if token ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
