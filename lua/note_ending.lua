-- A runner notes why it ends a bot, before it does: the bot itself only learns that it is to leave, and may report that
-- it was stopped. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:bot:<bot_id>  hash: the bot
-- ARGV[1]  id of the runner
-- ARGV[2]  reason, such as join_timeout
--
-- Returns 1 noted, 0 the bot is not this runner's, or has ended

local bot = redis.call('HMGET', KEYS[1], 'runner', 'ended_at')
if bot[1] ~= ARGV[1] or bot[2] then return 0 end
redis.call('HSET', KEYS[1], 'ending', ARGV[2])
return 1
